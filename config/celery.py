"""The Celery application. Nobody imports it: services ring by task name through `system.queue`."""

import gc
import os
import signal
from typing import Any

from celery import Celery
from celery.signals import worker_init, worker_process_init, worker_shutting_down

from config.lifeline import die_with_parent, leave_in_time, leave_when_told
from system import leaving

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("1688sync")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def begin(**_: Any) -> None:
    """Nobody has told this worker to stop."""
    leaving.forget()


@worker_shutting_down.connect
def tell_pool_processes(**_: Any) -> None:
    """SIGTERM: nothing new is begun, what is in hand ends or is given back, and then the worker is gone."""
    leaving.tell()
    leave_in_time()


@worker_process_init.connect
def prepare_pool_process(**_: Any) -> None:
    """Die with the worker, however it dies: an orphan would go on with a task that another worker has by then."""
    die_with_parent(signal.SIGKILL)
    leave_when_told()
    # What was loaded before the fork stays; the collector need not look at it again with every batch.
    gc.freeze()
