"""The Celery application. Nobody imports it: services ring by task name through `system.queue`."""

import ctypes
import gc
import os
import signal
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("1688sync")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

PR_SET_PDEATHSIG = 1


@worker_process_init.connect
def prepare_pool_process(**_: Any) -> None:
    """Die with the worker, however it dies: an orphan would go on with a task that another worker has by then."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
    # What was loaded before the fork stays; the collector need not look at it again with every batch.
    gc.freeze()
