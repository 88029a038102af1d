"""Ids in addresses."""

import re

from system.errors import ApplicationError, ErrorCode

_ID = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


def row_id(pk: str, largest: int = 2**63 - 1) -> int:
    """The id in an address.

    Raises:
        ApplicationError: 404; what is no number names nothing.
    """
    if not _ID.fullmatch(pk) or int(pk) > largest:
        raise ApplicationError(ErrorCode.NOT_FOUND)
    return int(pk)
