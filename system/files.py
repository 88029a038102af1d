"""Files as answers: made by a thread, sent by the event loop, so that a slow or vanished reader holds no thread.

A view hands an open file over with `file_response`; `FileSender`, in front of the pool of threads, sends it after the
thread is free again. Without that server (tests, another WSGI server) the view's thread sends it.
"""

import asyncio
import logging
import os
from typing import IO

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from system.asgi import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

HANDOVER = "s1688.files"
CHUNK_BYTES = 256 * 1024
# Who takes longer than this for a file is cut off.
SEND_SECONDS = 15 * 60
OK = 200


def file_response(request: HttpRequest, file: IO[bytes], name: str, content_type: str) -> HttpResponseBase:
    """An answer that is this file, to be saved under this name (RFC 6266); whoever sends it closes it.

    Args:
        file: open for reading, at its beginning.
    """
    headers = {
        "Content-Disposition": content_disposition_header(True, name) or "attachment",
        "Content-Length": str(os.fstat(file.fileno()).st_size),
        "X-Content-Type-Options": "nosniff",
    }
    handover: list[IO[bytes]] | None = request.META.get("asgi.scope", {}).get(HANDOVER)
    if handover is None:
        return FileResponse(file, content_type=content_type, headers=headers)
    handover.append(file)
    return HttpResponse(content_type=content_type, headers=headers)


class FileSender:
    """Sends the file that a request's view handed over, once the application has returned."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; where the answer is a file, keep its head and send both when the thread is free."""
        files: list[IO[bytes]] = []
        heads: list[Message] = []

        async def passing(message: Message) -> None:
            if files and message["type"] == "http.response.start" and message["status"] == OK:
                heads.append(message)
            elif not heads:
                await send(message)

        try:
            await self.app({**scope, HANDOVER: files}, receive, passing)
            if heads:
                await _send_file(heads[0], None if scope["method"] == "HEAD" else files[-1], receive, send)
        finally:
            for file in files:
                file.close()


async def _send_file(head: Message, file: IO[bytes] | None, receive: Receive, send: Send) -> None:
    departure = asyncio.ensure_future(_departed(receive))
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await send(head)
            # The folder may be another machine's, which all other requests must not wait for.
            while file and not departure.done() and (chunk := await asyncio.to_thread(file.read, CHUNK_BYTES)):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
    except TimeoutError:
        logger.warning("a file was not taken within %s s", SEND_SECONDS)
    finally:
        departure.cancel()


async def _departed(receive: Receive) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
