"""The Celery application with tasks of the tests' own: `celery -A tests.flow.app worker`."""

import os
import signal
import time
from typing import Any

from celery.signals import worker_process_init

from config.celery import app

__all__ = ["app"]


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
