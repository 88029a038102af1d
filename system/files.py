"""Files as answers, to be saved under a name."""

from typing import IO

from django.http import FileResponse
from django.http.response import HttpResponseBase


def file_response(file: IO[bytes], name: str, content_type: str) -> HttpResponseBase:
    """An answer that is this file, to be saved under this name (RFC 6266); whoever sends it closes it.

    The web server sends it when the thread is free again (`wsgi.file_wrapper`), so no slow reader holds one.

    Args:
        file: open for reading, at its beginning.
    """
    headers = {"X-Content-Type-Options": "nosniff"}
    return FileResponse(file, as_attachment=True, filename=name, content_type=content_type, headers=headers)
