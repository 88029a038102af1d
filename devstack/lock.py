"""A folder owned by one process: the lock ends with its holder, however that ends."""

import fcntl
from pathlib import Path


class FolderLock:
    """Take the folder or fail at once.

    Raises:
        BlockingIOError: another living process holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "lock").open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise

    def release(self) -> None:
        """Give the folder back."""
        self._file.close()
