"""Lists: page and page_size, offset and limit, or an opaque cursor; the page that goes out and its Link header."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson
from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from system.api.query import Query, QuerySerializer
from system.api.renderers import dumps

CURSOR_MAX_LENGTH = 1000
CURSOR_MAC_BYTES = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which rows of a list are asked for: `page_size` rows from `offset` on, or after the row `cursor` names.

    Attributes:
        page: number of the page, from 1; None when walking by cursor.
        cursor: (scope, position) of the last row seen, or None.
        by_offset: the caller speaks offset and limit.
    """

    page_size: int
    offset: int = 0
    cursor: tuple[str, list[Any]] | None = None
    by_offset: bool = False

    @property
    def page(self) -> int | None:
        return None if self.cursor else self.offset // self.page_size + 1

    def position(self, scope: str) -> list[Any] | None:
        """Where to go on after, as it was given to `encode_cursor` under the same scope; None for the start.

        Raises:
            serializers.ValidationError: the cursor was made for another list or another order.
        """
        if self.cursor is None:
            return None
        made_for, position = self.cursor
        if made_for != scope:
            raise serializers.ValidationError({"cursor": [_("This cursor belongs to another list or order.")]})
        return position


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list.

    Attributes:
        items: plain data, or the JSON array as `orjson.Fragment`.
        total: None when nobody counted.
        parts: what stands beside the items.
        links: the Link header, if it was made already.
    """

    items: Any
    total: int | None
    total_exact: bool
    next_cursor: str | None
    window: Window
    query: Query
    parts: Mapping[str, Any] = field(default_factory=dict)
    links: str | None = None

    @property
    def pages(self) -> int | None:
        """How many pages there are; None when nobody counted."""
        return None if self.total is None else -(-self.total // self.window.page_size)

    def link_header(self) -> str:
        """RFC 8288 links to the neighbours; relative references, so that proxies need not be known."""
        if self.links is not None:
            return self.links
        return ", ".join(f'<{self.query.url_at(*place)}>; rel="{relation}"' for relation, place in self._neighbours())

    def _neighbours(self) -> list[tuple[str, tuple[str, object]]]:
        if self.window.page is None:
            return [("next", ("cursor", self.next_cursor))] if self.next_cursor else []
        size, here, last = self.window.page_size, self.window.offset, self._last_offset()
        offsets = {"first": 0, "last": last if self.total_exact else None}
        if here and not (self.total_exact and here - size > last):
            offsets["prev"] = max(0, here - size)
        if self.next_cursor or here < last:
            offsets["next"] = here + size
        reachable = settings.API_MAX_DEPTH - size
        return [(name, self._place(at)) for name, at in offsets.items() if at is not None and at <= reachable]

    def _last_offset(self) -> int:
        """Where the last page begins. Pages by offset follow each other from wherever the caller began."""
        size = self.window.page_size
        begin = self.window.offset % size
        return max(0, (self.total or 0) - 1 - begin) // size * size + begin

    def _place(self, offset: int) -> tuple[str, object]:
        if self.window.by_offset:
            return "offset", offset
        return "page", offset // self.window.page_size + 1


class PageQuery(QuerySerializer):
    """Mixin of list queries: `query.window` then says which rows are asked for."""

    page = serializers.IntegerField(min_value=1, default=1, help_text=_("Number of the page, from 1"))
    page_size = serializers.IntegerField(
        min_value=1, max_value=settings.API_MAX_PAGE_SIZE, default=20, help_text=_("Rows a page")
    )
    offset = serializers.IntegerField(
        min_value=0, required=False, help_text=_("Rows to skip; with `limit`, instead of page and page_size")
    )
    limit = serializers.IntegerField(min_value=1, max_value=settings.API_MAX_PAGE_SIZE, required=False)
    cursor = serializers.CharField(
        max_length=CURSOR_MAX_LENGTH, required=False, help_text=_("`next_cursor` of the page before")
    )

    @classmethod
    def finish(cls, query: Query) -> None:
        """Turn the paging parameters into a `Window`."""
        super().finish(query)
        _refuse_mixtures(query.given)
        query.window = _window(query)
        if query.window.offset + query.window.page_size > settings.API_MAX_DEPTH:
            message = _("Lists are at most {depth} rows deep by page or offset; walk on with `cursor`.")
            raise serializers.ValidationError(
                {"offset" if query.window.by_offset else "page": [message.format(depth=settings.API_MAX_DEPTH)]}
            )


def _refuse_mixtures(given: frozenset[str]) -> None:
    ways = (given & {"page"}, given & {"offset"}, given & {"cursor"})
    mixed = [name for way in ways for name in way]
    if len(mixed) > 1:
        raise serializers.ValidationError({name: [_("Use one of page, offset and cursor.")] for name in mixed})
    if {"limit", "page_size"} <= given:
        raise serializers.ValidationError({"limit": [_("Use page_size or limit, not both.")]})


def _window(query: Query) -> Window:
    size = query.get("limit") or query["page_size"]
    if "cursor" in query.given:
        return Window(page_size=size, cursor=decode_cursor(query["cursor"]))
    if query.given & {"offset", "limit"} and "page" not in query.given:
        return Window(page_size=size, offset=query.get("offset", 0), by_offset=True)
    return Window(page_size=size, offset=(query["page"] - 1) * size)


def page_body(
    items: Any,
    total: int | None,
    query: Query,
    *,
    total_exact: bool = True,
    next_cursor: str | None = None,
    parts: Mapping[str, Any] | None = None,
) -> Page:
    """One page to hand to `reply`, which adds the Link header and lets the API version shape the body.

    Args:
        items: plain data, or a JSON array as `orjson.Fragment`.
        total: rows in the whole list; None when nobody counted.
        next_cursor: from `encode_cursor`, for the last of `items`; None on the last page.
        parts: plain data that is told of the whole list, by name.
    """
    return Page(
        items=items,
        total=total,
        total_exact=total_exact,
        next_cursor=next_cursor,
        window=query.window,
        query=query,
        parts=parts or {},
    )


def encode_cursor(scope: str, position: list[Any]) -> str:
    """An opaque, signed cursor.

    Args:
        scope: names list and order, such as "products:price:desc"; the cursor is good for it alone.
        position: what `Window.position` gives back: JSON values, usually the sort value and the id of the last row.
    """
    body = dumps([scope, position])
    return base64.urlsafe_b64encode(_mac(body) + body).rstrip(b"=").decode()


def decode_cursor(raw: str) -> tuple[str, list[Any]]:
    """Scope and position of a cursor.

    Raises:
        serializers.ValidationError: it is not one we made.
    """
    try:
        sealed = base64.b64decode(raw + "=" * (-len(raw) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise _bad_cursor() from None
    mac, body = sealed[:CURSOR_MAC_BYTES], sealed[CURSOR_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(body)):
        raise _bad_cursor()
    scope, position = orjson.loads(body)
    return scope, position


def _mac(body: bytes) -> bytes:
    return hmac.digest(_mac_key(settings.SECRET_KEY), body, "sha256")[:CURSOR_MAC_BYTES]


@cache
def _mac_key(secret: str) -> bytes:
    return salted_hmac("system.api.pagination", "cursor", secret, algorithm="sha256").digest()


def _bad_cursor() -> serializers.ValidationError:
    return serializers.ValidationError({"cursor": [_("Not a cursor of this API.")]})
