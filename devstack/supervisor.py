"""Keeps processes alive: started in order, started again when they die, stopped in reverse order."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from devstack import processes

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 30.0
# Who lived this long is healthy again: the next restart waits the first delay.
HEALTHY_AFTER_SECONDS = 60.0


class Service(Protocol):
    """What the supervisor starts and watches."""

    name: str

    @property
    def log(self) -> Path:
        """The file that tells why it ended."""
        ...

    def start(self) -> object:
        """Start it, or start it again after `stop`."""
        ...

    def stop(self) -> None:
        """End it in order, and its remains when it is dead already."""
        ...

    def alive(self) -> bool:
        """Whether it runs."""
        ...

    def exit_code(self) -> int | None:
        """How it ended (negative: the signal that killed it); None while it runs."""
        ...


class Command:
    """A program in a session of its own, so that Ctrl-C reaches it only through us, and never without us.

    Args:
        environment: the program's whole environment.
        log: its standard output and error are appended to this file.
        given: what it reads on standard input; a command line would be visible to every user.
        ask: the signal that ends it in order.
        patience_seconds: how long it may take before it is killed.
    """

    def __init__(
        self, name: str, arguments: list[str], *, environment: dict[str, str], log: Path, folder: Path,
        given: bytes = b"", patience_seconds: float = 20,
    ) -> None:  # fmt: skip
        self.name = name
        self.log = log
        self._arguments = arguments
        self._environment = environment
        self._folder = folder
        self._given = given
        self._patience_seconds = patience_seconds
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The program's process; None while it does not run."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the program; it dies with this process."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._arguments,
                env=self._environment,
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=processes.die_with_parent(signal.SIGTERM),
            )
        if self._process.stdin:
            with suppress(BrokenPipeError), self._process.stdin as pipe:
                pipe.write(self._given)

    def stop(self) -> None:
        """Ask it to end, insist after a while, and leave none of its own children behind."""
        if self._process is None:
            return
        processes.stop(self._process, signal.SIGTERM, self._patience_seconds)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process = None

    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def exit_code(self) -> int | None:
        """How it ended (negative: the signal that killed it); None while it runs."""
        return self._process.poll() if self._process else None


class _Watched:
    def __init__(self, service: Service) -> None:
        self.service = service
        self.started_at = 0.0
        self.restart_at: float | None = None
        self.delay = FIRST_DELAY_SECONDS

    def start(self) -> None:
        self.service.start()
        self.started_at = time.monotonic()
        self.restart_at = None

    def next_delay(self) -> float:
        if time.monotonic() - self.started_at > HEALTHY_AFTER_SECONDS:
            self.delay = FIRST_DELAY_SECONDS
        delay, self.delay = self.delay, min(self.delay * 2, LONGEST_DELAY_SECONDS)
        return delay


class Supervisor:
    """Watches services on the thread that calls `tick`: a child's life is tied to the thread that started it."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._watched: list[_Watched] = []

    def start(self, service: Service) -> None:
        """Start a service and watch it from now on.

        Raises:
            RuntimeError, OSError: it did not start.
        """
        watched = _Watched(service)
        self._watched.append(watched)
        watched.start()

    def tick(self) -> None:
        """Look at every service once: report who died, start again whose delay is over."""
        for watched in self._watched:
            if watched.restart_at is None:
                if not watched.service.alive():
                    self._bury(watched)
            elif time.monotonic() >= watched.restart_at:
                self._restart(watched)

    def stop(self) -> None:
        """Stop all services, the last started first; safe to call twice."""
        while self._watched:
            self._watched.pop().service.stop()

    def _bury(self, watched: _Watched) -> None:
        service, code = watched.service, watched.service.exit_code()
        service.stop()
        delay = watched.next_delay()
        watched.restart_at = time.monotonic() + delay
        self._report(f"{service.name} ended ({ending(code)}), starts again in {delay:.0f} s; its log: {service.log}")

    def _restart(self, watched: _Watched) -> None:
        try:
            watched.start()
        except (RuntimeError, OSError) as error:
            watched.service.stop()
            watched.restart_at = time.monotonic() + watched.next_delay()
            self._report(f"{watched.service.name} did not start: {error}")
        else:
            self._report(f"{watched.service.name} runs again.")


def ending(code: int | None) -> str:
    """An exit code in words: `exit code 1`, `killed by SIGKILL`."""
    if code is None:
        return "never started"
    return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
