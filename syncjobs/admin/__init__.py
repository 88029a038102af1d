"""Back-office pages of the synchronization; importing them registers them."""

from syncjobs.admin import jobs, records, sources, webhooks

__all__ = ["jobs", "records", "sources", "webhooks"]
