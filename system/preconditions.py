"""Optimistic locking: a write that was decided on an older state is refused."""

from collections.abc import Collection

from system.errors import ApplicationError, ErrorCode


def check_version(version: int, expected: Collection[int] | None) -> None:
    """Compare the version of a locked row with those the caller knows; None means that any is fine.

    Raises:
        ApplicationError: 412, somebody else changed it meanwhile.
    """
    if expected is not None and version not in expected:
        raise ApplicationError(ErrorCode.PRECONDITION_FAILED, details={"version": version})
