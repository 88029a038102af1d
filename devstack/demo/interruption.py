"""Ctrl-C, SIGTERM and a closed terminal: noted at once, acted on at the next pause, so that nothing is half started."""

import signal
import time
from types import FrameType

STEP_SECONDS = 0.05


class Interrupted(Exception):
    """Somebody asked the demo to end."""


class Interruption:
    """Remembers that somebody asked; `pause` is where the asking takes effect."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def check(self) -> None:
        """Raises Interrupted when somebody asked."""
        if self.asked:
            raise Interrupted

    def pause(self, seconds: float = STEP_SECONDS) -> None:
        """Sleep, but not past a request to end.

        Raises:
            Interrupted: somebody asked.
        """
        deadline = time.monotonic() + seconds
        while not self.asked and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, STEP_SECONDS))
        self.check()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
