"""Reading what stands in an address, and who asks."""

import re
from typing import Any

from rest_framework.request import Request

from system.errors import ApplicationError, ErrorCode

_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)


def number_in_path(pk: str) -> int:
    """The id in an address.

    Raises:
        ApplicationError: 404; what is not a number names nothing.
    """
    if not _ID.fullmatch(pk):
        raise ApplicationError(ErrorCode.NOT_FOUND)
    return int(pk)


def caller_id(request: Request) -> int:
    """The id of the user who asks; the permissions have let nobody else in."""
    user: Any = request.user
    return int(user.pk)
