"""How a worker and its pool processes end: with their parent, and in time when they are told to (`system.leaving`)."""

import ctypes
import logging
import os
import signal
import threading
import time
from typing import Any

from django.db import Error as DatabaseProblem
from kombu.exceptions import KombuError

from system import leaving

logger = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LOOK_SECONDS = 0.5


def die_with_parent(sent: signal.Signals) -> None:
    """Have the kernel send us `sent` when our parent is gone, however it went (Linux; elsewhere nothing happens)."""
    _prctl(PR_SET_PDEATHSIG, int(sent))


def adopt_grandchildren() -> None:
    """Become the parent of what our children leave behind (Linux)."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, argument: int) -> None:
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(option, argument)


def leave_when_told() -> None:
    """In a pool process: end what is in hand when the worker is told to stop, and be gone even where that hangs."""
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_watch, name="leave-when-told", daemon=True).start()


def _stop(_number: int, _frame: Any) -> None:
    """A service manager may send SIGTERM to all processes. Who works waits for what the worker says."""
    from system import queue

    if not queue.busy():
        raise SystemExit(0)


def _watch() -> None:
    from system import queue

    while leaving.seconds() < leaving.GIVE_BACK_SECONDS:
        time.sleep(LOOK_SECONDS)
    if not queue.busy():
        return
    logger.warning("what is in hand does not come to an end and is given back")
    try:
        queue.give_back()
    except (DatabaseProblem, KombuError, OSError) as error:
        logger.warning("it could not be given back, its lease will end: %s", error)
    os._exit(os.EX_OK)


def leave_in_time() -> None:
    """In the worker: be gone at the end of its time, whatever its pool or its broker is waiting for."""
    threading.Thread(target=_insist, name="leave-in-time", daemon=True).start()


def _insist() -> None:
    time.sleep(leaving.END_SECONDS)
    logger.warning("the worker does not come to an end and is cut off; nothing is lost")
    os._exit(os.EX_TEMPFAIL)
