"""Reads of the synchronization, by area."""

from syncjobs.selectors.jobs import (
    ACTIVE_SHOWN,
    WORKER_ONLINE_SECONDS,
    JobView,
    LogView,
    Progress,
    StatusView,
    job,
    job_view,
    jobs,
    log_view,
    logs,
    queues_view,
    status_view,
    workers_view,
)

__all__ = [
    "ACTIVE_SHOWN",
    "WORKER_ONLINE_SECONDS",
    "JobView",
    "LogView",
    "Progress",
    "StatusView",
    "job",
    "job_view",
    "jobs",
    "log_view",
    "logs",
    "queues_view",
    "status_view",
    "workers_view",
]
