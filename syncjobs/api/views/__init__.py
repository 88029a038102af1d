"""Views of the synchronization, by area."""

from syncjobs.api.views.callbacks import CallbackViewSet
from syncjobs.api.views.schedules import ScheduleViewSet
from syncjobs.api.views.sources import SourceViewSet
from syncjobs.api.views.sync import JobViewSet, SyncTaskViewSet, SyncViewSet
from syncjobs.api.views.webhooks import DeliveryViewSet, WebhookViewSet

__all__ = [
    "CallbackViewSet",
    "DeliveryViewSet",
    "JobViewSet",
    "ScheduleViewSet",
    "SourceViewSet",
    "SyncTaskViewSet",
    "SyncViewSet",
    "WebhookViewSet",
]
