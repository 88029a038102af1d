"""The project's Celery application with faults built in: `celery -A tests.faults.app worker`."""

import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

from celery.signals import worker_init
from django.utils import timezone

from config.celery import app

__all__ = ["app"]

POISON_KIND = "faults.poison"


@worker_init.connect
def build_in(**_: Any) -> None:
    """Before the pool is forked."""
    from system.queue import register_handler
    from tests.faults.failpoints import install

    install(Path(os.environ["FAULTS_FOLDER"]))
    set_clock(timedelta(seconds=int(os.environ.get("FAULT_CLOCK_SECONDS", "0"))))
    register_handler(POISON_KIND, die)


def set_clock(ahead: timedelta) -> None:
    """Let the project's clock in this process go before or after the database's."""
    real = timezone.now
    timezone.now = lambda: real() + ahead


def die(*_: object) -> NoReturn:
    """A task that takes its process down."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise SystemExit
