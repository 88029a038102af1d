"""Celery tasks of the kernel: thin, keyword-only, safe to deliver twice."""

import uuid
from typing import Any

from celery import Task, shared_task
from django.db import InterfaceError, OperationalError, connection

from system import leaving, queue, retention, runtime

DATABASE_AWAY_SECONDS = 5


@shared_task(bind=True, name=queue.RUN_TASK, default_retry_delay=1, max_retries=None)
def run_task(self: "Task[Any, Any]", /, *, task_id: str, alive: int = -1, **_future: Any) -> None:
    """Work on one row of the task table. A retry means that the process before us died, or (`alive`) had no database.

    Celery keeps the message's id and counts its tries, so a retry says exactly whose claim is void.
    """
    tries = self.request.retries
    bell = queue.Bell(name=str(self.request.id), tries=tries, alive=alive)
    if leaving.told():
        raise self.retry(kwargs={"task_id": task_id, "alive": alive}, countdown=0)
    try:
        runtime.keep_fresh()
        queue.run(uuid.UUID(task_id), bell=bell)
    except (OperationalError, InterfaceError) as error:
        connection.close()
        again = {"task_id": task_id, "alive": tries}
        raise self.retry(exc=error, kwargs=again, countdown=DATABASE_AWAY_SECONDS) from error


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
