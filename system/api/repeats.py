"""Requests that came before, word for word: what was found out for one of them holds for the next.

The answer to a read follows from the head of its request, from who asks, from what is left of the limits, and from the
state of what it shows. A head that was seen before has the same route, query, format and language; so only the other
three are asked anew, by the functions that ask them for every request. Whenever one of them says something else, the
request goes the way of all others. Either way the answer has the same bytes and headers.
"""

import secrets
import threading
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson
from cachetools import LRUCache
from django.db import Error as DatabaseProblem
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch
from rest_framework.request import Request

from system.api.headers import Headers, kept, replace
from system.api.throttling.charging import OWN_HEADERS, account_of, headers_of
from system.errors import ApplicationError

REMEMBERED = 1_000
# What differs between requests that mean the same.
UNLIKE = frozenset({"HTTP_X_REQUEST_ID", "REMOTE_PORT"})
REPEATABLE_STATUSES = frozenset({200, 304})

# Digests only, and not of this process's next life: tokens and keys stand in heads, and memory dumps tell none.
_SALT = secrets.token_bytes(16)


class Repeatable(NamedTuple):
    """What a view says of an answer that it would give again.

    Attributes:
        state: of what is shown, as it was when the answer was made.
        current: tells the state as it is now; holds nothing of a request.
        body: makes the body again; None when that would take reading.
    """

    state: object
    current: Callable[[], object]
    body: Callable[[], bytes | None]


class Known(NamedTuple):
    """An answer that was given."""

    answer: Repeatable
    user: Any
    match: ResolverMatch
    status: int
    headers: Headers


class Repeats:
    """The answers to the heads seen last; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._known: LRUCache[bytes | None, Known] = LRUCache(REMEMBERED)

    def answer(self, request: HttpRequest) -> HttpResponse | None:
        """The answer to a request whose head is known; None when it is to be worked out."""
        head = _head(request)
        with self._lock:
            known = self._known.get(head)
        body = _body(request, known) if known else None
        if known is None or body is None:
            return None
        request.resolver_match = known.match
        response = HttpResponse(body, status=known.status)
        replace(response, known.headers | headers_of(account_of(request)))
        return response

    def remember(self, request: HttpRequest, response: Any) -> None:
        """Note an answer, if its view called it repeatable."""
        answer: Repeatable | None = getattr(request, "repeatable", None)
        if answer is None or request.resolver_match is None or response.status_code not in REPEATABLE_STATUSES:
            return
        head = _head(request)
        if head is None:
            return
        headers = kept(response, without=OWN_HEADERS)
        known = Known(answer, request.user, request.resolver_match, response.status_code, headers)
        with self._lock:
            self._known[head] = known


repeats = Repeats()


def call_repeatable(request: HttpRequest, answer: Repeatable) -> None:
    """Say of the answer to this request that it may be given again."""
    request.repeatable = answer  # type: ignore[attr-defined]


def _head(request: HttpRequest) -> bytes | None:
    """What a request's head says, in short; None for one that is not even text."""
    # What is no text says something of the server.
    said = {name: value for name, value in request.META.items() if type(value) is str and name not in UNLIKE}
    try:
        return blake2b(orjson.dumps(said), digest_size=16, key=_SALT).digest()
    except TypeError:
        return None


def _body(request: HttpRequest, known: Known) -> bytes | None:
    """The body again, if caller and state are still the same; a call that was charged here is not charged again."""
    try:
        same = _caller(request, known.match) == known.user and known.answer.current() == known.answer.state
    except (ApplicationError, DatabaseProblem):
        return None
    return known.answer.body() if same else None


def _caller(request: HttpRequest, match: ResolverMatch) -> Any:
    """Who calls, charged for it; None for bad credentials."""
    made: Any = match.func
    view = made.cls(**made.initkwargs)
    view.action, view.version_name = made.actions["get"], match.kwargs["version"]
    asked = Request(request, authenticators=view.get_authenticators(), parser_context={"view": view})
    return request.user if view.charge_caller(asked) is None else None
