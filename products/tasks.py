"""Celery tasks of the catalogue: thin bells, safe to deliver twice."""

from typing import Any

from celery import shared_task

from products.services import suggestions


@shared_task(name="products.refresh_suggestions", ignore_result=True)
def refresh_suggestions(**_future: Any) -> None:
    """Learn what searches can be completed to, if products have changed."""
    suggestions.refresh_if_due()
