"""Celery tasks of the kernel: thin, keyword-only, safe to deliver twice."""

import uuid
from typing import Any

from celery import Task, shared_task
from django.db import InterfaceError, OperationalError, connection

from system import queue, retention, runtime

DATABASE_AWAY_SECONDS = 5


@shared_task(bind=True, name=queue.RUN_TASK, default_retry_delay=1, max_retries=None)
def run_task(self: "Task[Any, Any]", /, *, task_id: str, **_future: Any) -> None:
    """Work on one row of the task table. A retry means that the worker process before us died."""
    try:
        runtime.keep_fresh()
        queue.run(uuid.UUID(task_id), worker_lost=bool(self.request.retries))
    except (OperationalError, InterfaceError) as error:
        connection.close()
        raise self.retry(exc=error, countdown=DATABASE_AWAY_SECONDS) from error


@shared_task(name="system.sweep", ignore_result=True)
def sweep(**_future: Any) -> None:
    """Repair lost bells and expired leases."""
    runtime.keep_fresh()
    queue.sweep()


@shared_task(name="system.forget_old", ignore_result=True)
def forget_old(**_future: Any) -> None:
    """Delete what was to be kept for a time only: remembered answers, log lines, ended tasks, counts of calls."""
    retention.forget_answers()
    retention.forget_log_lines()
    retention.forget_tasks()
    retention.forget_usage()
