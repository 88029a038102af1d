"""A thread of its own a process for what must not slow a request: begun when it is needed, begun anew after a fork."""

import atexit
import logging
import os
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)

FAREWELL_SECONDS = 2.0


class Background:
    """Calls `work` every `seconds` in a daemon thread from the first `wake` on, and once more when the process ends.

    Args:
        work: runs in one thread at a time; what it raises is logged, and it is called again.
    """

    def __init__(self, name: str, work: Callable[[], None], seconds: float) -> None:
        self._name, self._work, self._seconds = name, work, seconds
        self._begin_anew()
        os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        self._starting = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Make sure that the thread runs; costs nothing when it does."""
        if self._thread is None and self._starting.acquire(blocking=False):
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
            atexit.register(self.stop)

    def stop(self) -> None:
        """Let it work once more and end; waits no longer than two seconds."""
        thread, over = self._thread, self._over
        if thread is not None:
            over.set()
            thread.join(FAREWELL_SECONDS)
            self._begin_anew()

    def is_own_thread(self) -> bool:
        """Whether the caller runs in it."""
        return threading.current_thread() is self._thread

    def _run(self) -> None:
        over = self._over
        while not over.wait(self._seconds):
            self._work_once()
        self._work_once()

    def _work_once(self) -> None:
        try:
            self._work()
        except Exception:
            logger.exception("%s failed, it goes on", self._name)
