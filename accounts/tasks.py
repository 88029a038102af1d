"""Celery tasks of accounts."""

from typing import Any

from celery import shared_task
from django.core.management import call_command


@shared_task(name="accounts.forget_expired_tokens", ignore_result=True)
def forget_expired_tokens(**_future: Any) -> None:
    """Remove refresh tokens past their end; simplejwt keeps a row for each until told otherwise."""
    call_command("flushexpiredtokens")
