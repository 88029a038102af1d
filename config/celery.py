"""The Celery application. Nobody imports it: services ring by task name through `system.queue`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("1688sync")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
