"""Pages of lists as they went out, kept in the process by what they show: what did not change is not read again.

The key holds the ETag, so a page is never found once its list has changed; it just grows old and makes room.
"""

import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import orjson
from cachetools import LRUCache
from django.conf import settings

from system.api.pagination import Page
from system.api.query import Query
from system.api.renderers import dumps

# ETag, path and query string: links repeat the latter two as they were sent.
Key = tuple[str, str, str]

# Of the entry itself, its key and its place in the cache; measured.
OVERHEAD_BYTES = 1_000


class KeptPage(NamedTuple):
    """What a page is made of but for who asks."""

    items: bytes
    total: int | None
    total_exact: bool
    next_cursor: str | None
    parts: Mapping[str, Any]
    links: str

    def page(self, query: Query) -> Page:
        """The page again, for this query."""
        return Page(
            items=orjson.Fragment(self.items),
            total=self.total,
            total_exact=self.total_exact,
            next_cursor=self.next_cursor,
            window=query.window,
            query=query,
            parts=self.parts,
            links=self.links,
        )


class KeptPages:
    """The pages asked for last, LIST_CACHE_MB of them at most; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Begin anew, with the size the settings say now."""
        with self._lock:
            self._pages: LRUCache[Key, KeptPage] = LRUCache(settings.LIST_CACHE_MB * 1024 * 1024, getsizeof=_bytes)

    def get(self, key: Key) -> KeptPage | None:
        """The page under this key, or None."""
        with self._lock:
            return self._pages.get(key)

    def keep(self, key: Key, page: Page) -> KeptPage:
        """Keep a page; one that is too large for the cache is only given back."""
        kept = KeptPage(
            dumps(page.items), page.total, page.total_exact, page.next_cursor, page.parts, page.link_header()
        )
        # The cache refuses what is larger than all of it.
        with self._lock, suppress(ValueError):
            self._pages[key] = kept
        return kept


def _bytes(page: KeptPage) -> int:
    return len(page.items) + len(dumps(page.parts)) + OVERHEAD_BYTES


kept_pages = KeptPages()
