"""The Celery application. Nobody imports it: services ring by task name through `system.queue`."""

import gc
import os
import signal
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

from config.lifeline import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("1688sync")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def prepare_pool_process(**_: Any) -> None:
    """Die with the worker, however it dies: an orphan would go on with a task that another worker has by then."""
    die_with_parent(signal.SIGKILL)
    # What was loaded before the fork stays; the collector need not look at it again with every batch.
    gc.freeze()
