"""Views of the synchronization, by area."""

from syncjobs.api.views.sync import JobViewSet, SyncViewSet

__all__ = ["JobViewSet", "SyncViewSet"]
