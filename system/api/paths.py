"""What an address names, and who asks."""

import re
from typing import Any

from rest_framework.request import Request

from system.errors import ApplicationError, ErrorCode

_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
LARGEST_ID = 2**63 - 1


def row_id(pk: str, largest: int = LARGEST_ID) -> int:
    """The id in an address.

    Raises:
        ApplicationError: 404; what is no number, or larger than any id, names nothing.
    """
    if not _ID.fullmatch(pk) or int(pk) > largest:
        raise ApplicationError(ErrorCode.NOT_FOUND)
    return int(pk)


def caller_id(request: Request) -> int:
    """The id of the user who asks, in a view that lets nobody in without credentials."""
    user: Any = request.user
    return int(user.pk)
