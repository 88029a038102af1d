"""Conditional requests (RFC 9110, sections 8.8.3 and 13.1): 304 for what the caller has, 412 for what has changed.

The strong ETag covers the data, not the envelope, whose time and request id always differ. It is made of the data, or
of a state that changes whenever the data do: then what the caller has, or what the process kept, is not read again.
That of a single resource begins with the version its row had, so that a write can compare it under the row's lock.
"""

import re
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from django.conf import settings
from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response

from system import metrics
from system.api.kept_pages import KeptPage, Key, kept_pages
from system.api.pagination import Page
from system.api.query import Query
from system.api.renderers import Success, dumps
from system.api.repeats import Repeatable, call_repeatable
from system.api.views import ApiViewSet
from system.errors import ApplicationError, ErrorCode

OK = 200
_VERSIONED = re.compile(r'"v([0-9]{1,18})-[0-9a-f]{32}"')


class ConditionalViewSet(ApiViewSet):
    """Reads that answer 304, writes that answer 412."""

    def reply_unless_known(self, request: Request, data: Any, *, version: int | None = None) -> Response:
        """The answer, or 304 without a body when If-None-Match holds its ETag.

        Args:
            version: that of the single resource `data` shows, so that its ETag can be sent as If-Match.
        """
        etag = self.etag(data, version)
        return self.not_modified(request, etag) or self.reply(data, headers={"ETag": etag})

    def reply_kept(
        self, request: Request, query: Query, current: Callable[[], str], read: Callable[[], Page]
    ) -> Response:
        """A page of a list whose state is known: 304 or the page that was kept, without reading a row; else it is read.

        Args:
            current: tells the state of the list, which differs whenever any page of it can. It is asked again for
                requests like this one, so it may hold nothing of this one.
            read: gives the page, at least as new as the state.
        """
        state, asked, api = current(), request._request, self.api
        etag = self.etag_of(state, repr(sorted(query.items())))
        if unchanged := self.not_modified(request, etag):
            call_repeatable(asked, Repeatable(state, current, _unchanged_list))
            _unchanged_list()
            return unchanged
        key = (etag, asked.path, asked.META.get("QUERY_STRING", ""))

        def body() -> bytes | None:
            kept = _kept(key)
            return dumps(api.success(Success(kept.page(query)), OK)) if kept else None

        if kept := _kept(key):
            call_repeatable(asked, Repeatable(state, current, body))
        else:
            metrics.count("list_answers", "read")
        page = (kept or kept_pages.keep(key, read())).page(query)
        return self.reply(page, headers={"ETag": etag})

    def not_modified(self, request: Request, etag: str) -> Response | None:
        """304 when If-None-Match holds this ETag."""
        sent = request.META.get("HTTP_IF_NONE_MATCH")
        if not sent:
            return None
        known = parse_etags(sent)
        if "*" in known or etag in (tag.removeprefix("W/") for tag in known):
            return Response(status=304, headers={"ETag": etag})
        return None

    def etag(self, data: Any, version: int | None = None) -> str:
        """The strong ETag of what is answered."""
        return self._etag(dumps(self.api.page(data) if isinstance(data, Page) else data), version)

    def etag_of(self, *state: str, version: int | None = None) -> str:
        """The strong ETag of an answer that follows from a state and from this program alone."""
        return self._etag(repr((settings.APP_VERSION, *state)).encode(), version)

    def _etag(self, content: bytes, version: int | None) -> str:
        digest = blake2b(content, digest_size=16, person=self.api.name.encode()).hexdigest()
        return f'"{digest}"' if version is None else f'"v{version}-{digest}"'


def _unchanged_list() -> bytes:
    """The body of a 304."""
    metrics.count("list_answers", "unchanged")
    return b""


def _kept(key: Key) -> KeptPage | None:
    found = kept_pages.get(key)
    if found:
        metrics.count("list_answers", "kept")
    return found


def expected_versions(request: Request) -> frozenset[int] | None:
    """The versions of the resource that If-Match allows; None when any is fine, empty when none of ours can be meant.

    Hand it to the service, which compares it with the row it has locked: `check_version(row.version, expected)`.

    Raises:
        ApplicationError: 400 malformed.
    """
    sent = request.META.get("HTTP_IF_MATCH")
    if sent is None or sent.strip() == "*":
        return None
    tags = parse_etags(sent)
    if not tags:
        raise ApplicationError(ErrorCode.INVALID_PARAMETER, details={"If-Match": ["*"]})
    return frozenset(int(found[1]) for found in map(_VERSIONED.fullmatch, tags) if found)
