"""The parent of the server's processes: forks them, starts again those that end, ends them all."""

import logging
import mmap
import os
import signal
import struct
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import NamedTuple

from config.lifeline import die_with_parent

logger = logging.getLogger(__name__)

Work = Callable[[], int]

# A process that shows no sign of life this long is replaced; on a busy machine a pause of seconds is no hang.
SILENT_SECONDS = 30
# Who ends sooner than this after its start waits as long before the next.
HEALTHY_AFTER_SECONDS = 1
LOOK_SECONDS = 1
SLOT = struct.Struct("d")


class Pulse:
    """When each process last showed a sign of life, in memory that they share; 0 for one that does not run."""

    def __init__(self, places: int) -> None:
        self._memory = mmap.mmap(-1, places * SLOT.size)

    def beat(self, place: int) -> None:
        """Show a sign of life."""
        SLOT.pack_into(self._memory, place * SLOT.size, time.monotonic())

    def stop(self, place: int) -> None:
        """Say that it does not run."""
        SLOT.pack_into(self._memory, place * SLOT.size, 0.0)

    def last(self, place: int) -> float:
        """The last sign of life, by the monotonic clock of the machine."""
        last: float = SLOT.unpack_from(self._memory, place * SLOT.size)[0]
        return last


class Child(NamedTuple):
    """A process that runs."""

    place: int
    started_at: float


class Supervisor:
    """Forks one process for each piece of work, so that all of them share what is imported by now.

    Args:
        works: what the processes do; each returns its exit code.
        patience_seconds: how long they may take to end.
    """

    def __init__(self, works: list[Work], pulse: Pulse, patience_seconds: float) -> None:
        self._works = works
        self._pulse = pulse
        self._patience_seconds = patience_seconds
        self._children: dict[int, Child] = {}
        self._due = dict.fromkeys(range(len(works)), 0.0)
        self._signalled = threading.Event()
        self._stopping = False
        self._parent = os.getpid()

    def run(self) -> Work | None:
        """Watch over the processes until SIGTERM or Ctrl-C; then None.

        Returns in each process, too: with its work.
        """
        kept = {number: signal.signal(number, self._note) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)}
        while not self._stopping:
            work = self._start_due()
            if work:
                for number, handler in kept.items():
                    signal.signal(number, handler)
                return work
            self._signalled.wait(LOOK_SECONDS)
            self._signalled.clear()
            self._bury()
            self._kill_silent()
        self._end()
        return None

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._stopping = self._stopping or number != signal.SIGCHLD
        self._signalled.set()

    def _start_due(self) -> Work | None:
        for place, due in list(self._due.items()):
            if time.monotonic() >= due:
                del self._due[place]
                child = os.fork()
                if child == 0:
                    return self._begin(place)
                self._children[child] = Child(place, time.monotonic())
        return None

    def _begin(self, place: int) -> Work:
        die_with_parent(signal.SIGTERM)
        if os.getppid() != self._parent:
            # It went between the fork and the line above.
            os._exit(0)
        return self._works[place]

    def _bury(self) -> None:
        for child in list(self._children):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                self._note_end(child, os.waitstatus_to_exitcode(status))

    def _note_end(self, process: int, code: int) -> None:
        child = self._children.pop(process)
        self._pulse.stop(child.place)
        if not self._stopping:
            now = time.monotonic()
            brief = now - child.started_at < HEALTHY_AFTER_SECONDS
            self._due[child.place] = now + (HEALTHY_AFTER_SECONDS if brief else 0)
            logger.warning("process %s ended with %s and is started again", process, code)

    def _kill_silent(self) -> None:
        oldest = time.monotonic() - SILENT_SECONDS
        for process, child in self._children.items():
            if max(self._pulse.last(child.place), child.started_at) < oldest:
                logger.error("process %s shows no sign of life and is killed", process)
                os.kill(process, signal.SIGKILL)

    def _end(self) -> None:
        for process in self._children:
            os.kill(process, signal.SIGTERM)
        deadline = time.monotonic() + self._patience_seconds
        while self._children and time.monotonic() < deadline:
            self._signalled.wait(LOOK_SECONDS)
            self._signalled.clear()
            self._bury()
        for process in self._children:
            os.kill(process, signal.SIGKILL)
