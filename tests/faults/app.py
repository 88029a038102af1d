"""The project's Celery application with faults built in: `celery -A tests.faults.app worker`."""

import os
import signal
from pathlib import Path
from typing import Any, NoReturn

from celery.signals import worker_init

from config.celery import app

__all__ = ["app"]

POISON_KIND = "faults.poison"


@worker_init.connect
def build_in(**_: Any) -> None:
    """Before the pool is forked."""
    from system.queue import register_handler
    from tests.faults.failpoints import install

    install(Path(os.environ["FAULTS_FOLDER"]))
    register_handler(POISON_KIND, die)


def die(*_: object) -> NoReturn:
    """A task that takes its process down."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise SystemExit
