"""The Celery application with tasks of the tests' own: `celery -A tests.flow.app worker`."""

import os
import signal
import time
from typing import Any

from celery.signals import worker_process_init

from config.celery import app
from system import leaving

__all__ = ["app"]

# A worker that is told to stop leaves in time by ending nothing; one that takes so much longer shows what it ends.
FAREWELL_FACTOR = int(os.environ.get("FLOW_FAREWELL_FACTOR", "1"))
for span in ("FINISH_SECONDS", "GIVE_BACK_SECONDS", "END_SECONDS"):
    setattr(leaving, span, getattr(leaving, span) * FAREWELL_FACTOR)


def kill_myself(_payload: dict[str, Any], _context: object) -> None:
    """A poisonous task."""
    os.kill(os.getpid(), signal.SIGKILL)


def hang(payload: dict[str, Any], _context: object) -> str:
    """A task that looks at nothing for a while."""
    time.sleep(payload["seconds"])
    return "done"


@worker_process_init.connect
def add_handlers(**_: Any) -> None:
    """In the pool processes, where the project is loaded by now."""
    from system.queue import register_handler

    register_handler("test.poison", kill_myself)
    register_handler("test.hang", hang)
