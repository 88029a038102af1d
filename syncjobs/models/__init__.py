"""Tables of the synchronization; importing them registers them."""

from syncjobs.models.jobs import (
    HeldProduct,
    RejectedRecord,
    SeenProduct,
    Source,
    SyncBatch,
    SyncJob,
    SyncLog,
    Watermark,
)
from syncjobs.models.messages import ChangeMessage, MessageListener
from syncjobs.models.quota import AuthorizationNotice, CallLedger
from syncjobs.models.raw import AnswerField, RawAnswer
from syncjobs.models.receipts import JobCalls, JobReceipt
from syncjobs.models.schedules import ScheduleClock, ScheduledRun
from syncjobs.models.webhooks import Webhook, WebhookDelivery

__all__ = [
    "AnswerField",
    "AuthorizationNotice",
    "CallLedger",
    "ChangeMessage",
    "HeldProduct",
    "JobCalls",
    "JobReceipt",
    "MessageListener",
    "RawAnswer",
    "RejectedRecord",
    "ScheduleClock",
    "ScheduledRun",
    "SeenProduct",
    "Source",
    "SyncBatch",
    "SyncJob",
    "SyncLog",
    "Watermark",
    "Webhook",
    "WebhookDelivery",
]
