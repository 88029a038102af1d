"""Reading what stands in an address."""

import re

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
