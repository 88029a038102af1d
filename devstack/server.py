"""What the embedded servers share: a folder with one owner, a child process, and the wait until it answers."""

import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from signal import Signals
from typing import ClassVar, Self

from devstack import processes
from devstack.lock import FolderLock

LOOK_SECONDS = 0.02
LOG_TAIL_CHARACTERS = 2000


class EmbeddedServer(ABC):
    """A server of ours on a free port of 127.0.0.1; `with server:` starts and stops it.

    Attributes:
        name: how people call it.
        farewell: the signal that asks it to end in good order.
        patience_seconds: how long a start may take.
        home: folder of its data and its log, owned by one process at a time.
    """

    name: str
    farewell: ClassVar[Signals]
    patience_seconds: ClassVar[float]

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: FolderLock | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The connection URL."""

    @property
    def pid(self) -> int | None:
        """The server process; None while it does not run."""
        return self._process.pid if self._process else None

    @property
    def log(self) -> Path:
        """Where the server writes why it ended."""
        return self.home / f"{self.name.lower()}.log"

    def start(self) -> str:
        """Start and wait until it answers, on the same port each time; returns the URL.

        Raises:
            RuntimeError: no usable program, or the server did not come up; the message ends with its log.
            BlockingIOError: another process owns this folder.
        """
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = FolderLock(self.home)
        self._prepare()
        self.port = self.port or processes.free_port()
        self._process = self._spawn()
        self._wait_until_ready()
        return self.url

    def stop(self) -> None:
        """Orderly shutdown; safe to call twice."""
        if self._process:
            processes.stop(self._process, self.farewell)
            self._process = None
        if self._lock:
            self._lock.release()
            self._lock = None

    def kill(self) -> None:
        """End it at once, without a farewell; `start` brings it back on the same port."""
        if self._process:
            self._process.kill()
            self._process.wait()
        self.stop()

    def alive(self) -> bool:
        """Whether the server process runs."""
        return self._process is not None and self._process.poll() is None

    def exit_code(self) -> int | None:
        """How the server ended (negative: the signal that killed it); None while it runs."""
        return self._process.poll() if self._process else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _prepare(self) -> None:  # noqa: B027 (most servers need nothing)
        """Make the folder ready for the program; we own it by now."""

    @abstractmethod
    def _spawn(self) -> "subprocess.Popen[bytes]":
        """Start the program on `port`."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it takes requests."""

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self.patience_seconds
        while not self._answers():
            if not self.alive() or time.monotonic() > deadline:
                log = self.log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:]
                raise RuntimeError(f"{self.name} did not start in {self.home}:\n{log}")
            time.sleep(LOOK_SECONDS)
