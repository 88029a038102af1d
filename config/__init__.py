"""Composition root. The Celery application is made with Django, so that `current_app` is ours in every process."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
