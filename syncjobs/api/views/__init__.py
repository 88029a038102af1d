"""Views of the synchronization, by area."""

from syncjobs.api.views.callbacks import CallbackViewSet
from syncjobs.api.views.raw import RawViewSet
from syncjobs.api.views.rejects import RejectFileViewSet, RejectViewSet
from syncjobs.api.views.runs import JobViewSet
from syncjobs.api.views.schedules import ScheduleViewSet
from syncjobs.api.views.sources import SourceViewSet
from syncjobs.api.views.sync import SyncTaskViewSet, SyncViewSet
from syncjobs.api.views.webhooks import DeliveryViewSet, WebhookViewSet

__all__ = [
    "CallbackViewSet",
    "DeliveryViewSet",
    "JobViewSet",
    "RawViewSet",
    "RejectFileViewSet",
    "RejectViewSet",
    "ScheduleViewSet",
    "SourceViewSet",
    "SyncTaskViewSet",
    "SyncViewSet",
    "WebhookViewSet",
]
