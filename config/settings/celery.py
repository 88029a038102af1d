"""Celery: messages are doorbells, the database is the truth. Every value here was chosen by killing things."""

from celery.schedules import crontab

from config.env import integer
from config.settings.data import REDIS_BROKER_URL

CELERY_BROKER_URL = REDIS_BROKER_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    "health_check_interval": 25,
    "global_keyprefix": "s1688:",
    "queue_order_strategy": "priority",
}
CELERY_VISIBILITY_TIMEOUT = 600
CELERY_RESULT_BACKEND = "django-db"
CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = {"visibility_timeout": 600}
CELERY_RESULT_EXTENDED = True
CELERY_RESULT_EXPIRES = 7 * 86_400
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_TIMEOUT = 4
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_RESULT_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_RETRY_ON_WORKER_LOST = True
CELERY_TASK_ACKS_ON_FAILURE = True
CELERY_TASK_ACKS_ON_TIMEOUT = True
# The largest batch is 50 calls; with 32 workers at 10 calls a second that takes minutes.
CELERY_TASK_SOFT_TIME_LIMIT, CELERY_TASK_TIME_LIMIT = 540, 570
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Work does not need the broker: a second delivery of its bell finds a live lease and returns.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
# SIGTERM has work end in order (`config.celery`); SIGQUIT is for those in a hurry.
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 0.0
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = False
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000
CELERY_WORKER_ETA_TASK_LIMIT = 100
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
# How long finished tasks and sent e-mails can be looked up.
TASK_RETENTION_DAYS = integer("TASK_RETENTION_DAYS", 30, minimum=1, maximum=365)
CELERY_TIMEZONE, CELERY_ENABLE_UTC = "UTC", True

CELERY_BEAT_SCHEDULER = "config.beat:SingleScheduler"
CELERY_BEAT_SCHEDULE = {
    "forget-expired-tokens": {
        "task": "accounts.forget_expired_tokens",
        "schedule": crontab(hour="19", minute="30"),  # 3:30 at night in China
        "options": {"queue": "low"},
    },
    "forget-old": {"task": "system.forget_old", "schedule": 3600.0, "options": {"queue": "low", "expires": 3600}},
    "tidy-sync-records": {
        "task": "syncjobs.tidy",
        "schedule": crontab(hour="19", minute="45"),
        "options": {"queue": "low"},
    },
    "refresh-suggestions": {
        "task": "products.refresh_suggestions",
        "schedule": 60.0,
        "options": {"queue": "low", "expires": 60},
    },
    "sweep": {"task": "system.sweep", "schedule": 10.0, "options": {"queue": "critical", "expires": 10}},
}
