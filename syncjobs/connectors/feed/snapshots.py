"""The folder of snapshots: files of UTF-8 that all batches of a job read, made of a download or of another encoding.

A snapshot's name says what is in it, so whoever lacks it makes it again or finds out that he cannot. It appears under
its name only when it is complete, and never changes. Who reads one that is removed meanwhile keeps it until he closes.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO

from syncjobs.engine.errors import FatalSourceError, RetryableSourceError

SUFFIX, STATE, PART, TURN = ".feed", ".state", ".part", ".turn"


class Snapshots:
    """One folder of snapshots, shared by processes, and by machines if they mount the same."""

    def __init__(self, folder: str) -> None:
        """Take the folder; it is made when it is first needed.

        Raises:
            FatalSourceError: `feed_cache`, there is none.
        """
        if not folder:
            raise _no_folder("no folder for snapshots of feeds is set")
        self._folder = Path(folder)

    def open(self, name: str) -> BinaryIO | None:
        """The file of this name, or None; to open it counts as use.

        Raises:
            RetryableSourceError: `feed_cache`, the disk failed.
        """
        try:
            file = open(self._folder / name, "rb")  # noqa: SIM115
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _disk(error) from error
        # A file of another user is his to touch.
        with suppress(OSError):
            os.utime(file.fileno())
        return file

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        """Of many on this machine who lack a snapshot one makes it at a time.

        Raises:
            FatalSourceError, RetryableSourceError: `feed_cache`.
        """
        self._prepare()
        try:
            file = open(self._folder / (name + TURN), "ab")  # noqa: SIM115
        except OSError as error:
            raise _disk(error) from error
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def incoming(self) -> Iterator[BinaryIO]:
        """A new file in the folder, gone at the end unless `keep` gave it a name.

        Raises:
            FatalSourceError: `feed_cache`, the folder cannot be used.
            RetryableSourceError: `feed_cache`, the disk is full or failed.
        """
        self._prepare()
        try:
            with NamedTemporaryFile(dir=self._folder, prefix="new-", suffix=PART, delete=False) as file:
                try:
                    yield file.file  # type: ignore[misc] # it is an ordinary binary file
                finally:
                    with suppress(FileNotFoundError):
                        os.unlink(file.name)
        except OSError as error:
            raise _disk(error) from error

    def keep(self, file: BinaryIO, name: str) -> None:
        """Give a file of `incoming` its name, in place of what had it.

        Raises:
            RetryableSourceError: `feed_cache`, the disk is full or failed.
        """
        try:
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, self._folder / name)
        except OSError as error:
            raise _disk(error) from error

    def _prepare(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _no_folder(f"the folder of snapshots cannot be made: {error.strerror}") from error
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise _no_folder("the folder of snapshots cannot be written to")


def remove_unused(folder: Path, seconds: float) -> int:
    """Remove what nobody used for so long, leftovers of crashes included; returns how many files went."""
    removed = 0
    before = time.time() - seconds
    with suppress(FileNotFoundError, NotADirectoryError):
        for path in list(folder.iterdir()):
            # Gone already, or not ours.
            with suppress(OSError):
                if path.suffix in {SUFFIX, STATE, PART, TURN} and path.stat().st_mtime < before:
                    path.unlink()
                    removed += 1
    return removed


def _disk(error: OSError) -> RetryableSourceError:
    return RetryableSourceError(f"the folder of snapshots failed: {error.strerror}", code="feed_cache")


def _no_folder(reason: str) -> FatalSourceError:
    return FatalSourceError(
        reason, code="feed_cache", suggestion="set FEED_CACHE_FOLDER to a folder that all workers can write to"
    )
