"""Tables of the synchronization; importing them registers them."""

from syncjobs.models.jobs import (
    RejectedRecord,
    SeenProduct,
    Source,
    SyncBatch,
    SyncJob,
    SyncLog,
    Watermark,
)

__all__ = [
    "RejectedRecord",
    "SeenProduct",
    "Source",
    "SyncBatch",
    "SyncJob",
    "SyncLog",
    "Watermark",
]
