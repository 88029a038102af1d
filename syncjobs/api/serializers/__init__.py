"""Bodies, parameters and documented answers of the sync API, by area."""

from syncjobs.api.serializers.sync import (
    JobSerializer,
    JobsQuery,
    LogSerializer,
    LogsQuery,
    ProgressSerializer,
    QueueSerializer,
    ResumeSyncSerializer,
    StartSyncSerializer,
    StatusQuery,
    StatusSerializer,
    StopSyncSerializer,
    SyncConfigSerializer,
    SyncTaskSerializer,
    WorkersSerializer,
    start_request,
    sync_task_request,
)

__all__ = [
    "JobSerializer",
    "JobsQuery",
    "LogSerializer",
    "LogsQuery",
    "ProgressSerializer",
    "QueueSerializer",
    "ResumeSyncSerializer",
    "StartSyncSerializer",
    "StatusQuery",
    "StatusSerializer",
    "StopSyncSerializer",
    "SyncConfigSerializer",
    "SyncTaskSerializer",
    "WorkersSerializer",
    "start_request",
    "sync_task_request",
]
