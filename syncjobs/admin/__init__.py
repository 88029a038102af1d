"""Back-office pages of the synchronization; importing them registers them."""

from syncjobs.admin import jobs, records, sources

__all__ = ["jobs", "records", "sources"]
