"""What the views of this application ask of a request."""

import re
from typing import Any

from rest_framework.request import Request

from accounts.authentication import AuthenticatedUser
from system.errors import ApplicationError, ErrorCode

_ID = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


def caller(request: Request) -> AuthenticatedUser:
    """Who calls, in a view that lets nobody in without credentials."""
    known: Any = request.user
    signed_in: AuthenticatedUser = known
    return signed_in


def number(pk: str) -> int:
    """The id in an address.

    Raises:
        ApplicationError: 404; what is not a number names nothing.
    """
    if not _ID.fullmatch(pk):
        raise ApplicationError(ErrorCode.NOT_FOUND)
    return int(pk)
