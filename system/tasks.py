"""Celery tasks of the kernel: thin, keyword-only, safe to deliver twice."""

import uuid
from typing import Any

from celery import Task, shared_task
from django.db import InterfaceError, OperationalError, connection

from system import queue

DATABASE_AWAY_SECONDS = 5


@shared_task(bind=True, name=queue.RUN_TASK, default_retry_delay=1, max_retries=None)
def run_task(self: "Task[Any, Any]", /, *, task_id: str, **_future: Any) -> None:
    """Work on one row of the task table. A retry means that the worker process before us died."""
    try:
        queue.run(uuid.UUID(task_id), worker_lost=bool(self.request.retries))
    except (OperationalError, InterfaceError) as error:
        connection.close()
        raise self.retry(exc=error, countdown=DATABASE_AWAY_SECONDS) from error


@shared_task(name="system.sweep", ignore_result=True)
def sweep(**_future: Any) -> None:
    """Repair lost bells and expired leases."""
    queue.sweep()
