"""Reads of exports that tasks write."""

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings

from system.models import Task

EXPORT_KIND = "products.export"


def export_task(task_id: str, user_id: int, *, everybodys: bool) -> Task | None:
    """An export of this user, or with `everybodys` of anybody; None when there is none."""
    try:
        number = uuid.UUID(task_id)
    except ValueError:
        return None
    task = Task.objects.filter(pk=number, kind=EXPORT_KIND).first()
    mine = task is not None and (everybodys or task.payload.get("user_id") == user_id)
    return task if mine else None


def export_data(task: Task) -> dict[str, Any]:
    """An export as the API shows it."""
    result = task.result or {}
    done = task.finished_at if task.state == Task.State.SUCCEEDED else None
    return {
        "task_id": str(task.pk),
        "status": task.state,
        "format": task.payload["format"],
        "rows": result.get("rows"),
        "bytes": result.get("bytes"),
        "error": task.error,
        "created_at": task.created_at,
        "finished_at": task.finished_at,
        "expires_at": done and done + timedelta(seconds=settings.EXPORT_KEEP_SECONDS),
    }
