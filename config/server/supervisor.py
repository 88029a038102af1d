"""The parent of the server's processes: starts them, starts again those that end, ends them all.

It imports nothing of the application. A template does, forks the processes and is gone: so they share what is imported,
and no copy of it lies idle in a parent.
"""

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

from config.lifeline import adopt_grandchildren, die_with_parent

logger = logging.getLogger(__name__)

Work = Callable[[], int]

# A process that shows no sign of life this long is replaced; on a busy machine a pause of seconds is no hang.
SILENT_SECONDS = 30
# Who ends sooner than this after its start has to wait for the next.
HEALTHY_AFTER_SECONDS = 3
AGAIN_SECONDS = 1
LOOK_SECONDS = 1
SLOT = struct.Struct("d")
PID = struct.Struct("i")


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
    """Keeps one process running for each place.

    Args:
        places: how many processes there are.
        prepare: imports everything and returns what each process does, its exit code being what that returns.
        patience_seconds: how long they may take to end.
    """

    def __init__(self, places: int, prepare: Callable[[], list[Work]], pulse: Pulse, patience_seconds: float) -> None:
        self._prepare = prepare
        self._pulse = pulse
        self._patience_seconds = patience_seconds
        self._children: dict[int, Child] = {}
        self._due = dict.fromkeys(range(places), 0.0)
        # What is to be said of a process once there is one that can write logs.
        self._ends: list[str] = []
        self._signalled = threading.Event()
        self._stopping = False
        self._exit_code = 0
        self._parent = os.getpid()

    def run(self) -> Work | int:
        """Watch over the processes until SIGTERM or Ctrl-C, or until they cannot start; then the exit code.

        Returns in each process, too: with its work.
        """
        adopt_grandchildren()
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
        return self._exit_code

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._stopping = self._stopping or number != signal.SIGCHLD
        self._signalled.set()

    def _start_due(self) -> Work | None:
        due = [place for place, at in self._due.items() if time.monotonic() >= at]
        if not due:
            return None
        reading, writing = os.pipe()
        template = os.fork()
        if template == 0:
            os.close(reading)
            return self._multiply(due, writing)
        os.close(writing)
        with open(reading, "rb") as pipe:
            started = [PID.unpack(pid) for pid in iter(lambda: pipe.read(PID.size), b"")]
        _, status = os.waitpid(template, 0)
        self._count(due, [pid for (pid,) in started], os.waitstatus_to_exitcode(status))
        return None

    def _count(self, due: list[int], started: list[int], code: int) -> None:
        now = time.monotonic()
        for place, process in zip(due, started, strict=False):
            del self._due[place]
            self._children[process] = Child(place, now)
        self._ends = self._ends if code else []
        if code and not self._children:
            # As broken as at the first start: it would only fail again.
            self._stopping, self._exit_code = True, code
        for place in due[len(started) :]:
            self._due[place] = now + AGAIN_SECONDS

    def _multiply(self, due: list[int], writing: int) -> Work | None:
        """In the template: become each process that is due."""
        die_with_parent(signal.SIGKILL)
        works = self._prepare()
        for line in self._ends:
            logger.warning(line)
        template = os.getpid()
        for place in due:
            # What is handed to it from now on waits until it has begun.
            self._pulse.beat(place)
            child = os.fork()
            if child == 0:
                os.close(writing)
                self._wait_for_parent(template)
                return works[place]
            os.write(writing, PID.pack(child))
        os._exit(0)

    def _wait_for_parent(self, template: int) -> None:
        """The template goes, then we are the supervisor's."""
        while os.getppid() == template:
            time.sleep(0.001)
        die_with_parent(signal.SIGTERM)
        if os.getppid() != self._parent:
            # It went before the line above.
            os._exit(0)

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
            self._due[child.place] = now + (AGAIN_SECONDS if brief else 0)
            self._ends.append(f"process {process} ended with {code} and is started again")

    def _kill_silent(self) -> None:
        oldest = time.monotonic() - SILENT_SECONDS
        for process, child in self._children.items():
            if max(self._pulse.last(child.place), child.started_at) < oldest:
                self._ends.append(f"process {process} shows no sign of life and is killed")
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
