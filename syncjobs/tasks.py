"""Celery tasks of the synchronization: thin bells, safe to deliver twice."""

from typing import Any

from celery import shared_task

from syncjobs.services import schedule_runs, tidying


@shared_task(name="syncjobs.run_schedule", ignore_result=True)
def run_schedule(**_schedule: Any) -> None:
    """Somebody's schedule is due: look at all their clocks. The arguments are the schedule's own, read from its row."""
    schedule_runs.run_due()


@shared_task(name="syncjobs.tidy", ignore_result=True)
def tidy(**_future: Any) -> None:
    """Forget old deliveries, change messages and slots."""
    tidying.tidy()
