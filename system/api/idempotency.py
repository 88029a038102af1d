"""Idempotency-Key: a POST that is sent again with its key gets the first answer again, and is done once.

The handler runs in one transaction with the row of its answer, so that there is never an effect without a remembered
answer nor an answer without its effect; an error rolls both back and may be tried again. Views name in
`idempotent_exempt` the actions whose answers hold secrets, and in `idempotent_outside` those that wait for another
service: these hold no transaction, and if the process dies between effect and answer they run again.
"""

import re
from collections.abc import Callable
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec
import orjson
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from system import idempotency, metrics
from system.api.renderers import Success, dumps
from system.errors import ApplicationError, ErrorCode
from system.idempotency import Remembered

if TYPE_CHECKING:
    from system.api.views import ApiViewMixin

# Two headers arrive as one, joined by a comma.
ACCEPTABLE_KEY = re.compile(r"[!-+\--~]{1,255}")
REPLAYED_HEADERS = ("ETag", "Link", "Location")
RETRY_AFTER_SECONDS = 1
FIRST_ERROR_STATUS = 400

Handler = Callable[..., Any]


class _Body(msgspec.Struct):
    """What is kept of an answer beside its status and headers; the rest of the envelope belongs to each answer."""

    data: msgspec.Raw
    message: str | None


def make_repeatable(view: "ApiViewMixin", request: Request) -> None:
    """Let the view's POST handler run once for the request's Idempotency-Key; without one nothing changes.

    Raises:
        ApplicationError: 400, the key is not 1 to 255 visible ASCII characters without a comma, or was sent twice.
    """
    action = getattr(view, "action", None) or "post"
    user: Any = getattr(request._request, "user", None)
    if action in view.idempotent_exempt or user is None or not user.is_authenticated:
        return
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return
    if not ACCEPTABLE_KEY.fullmatch(key):
        message = _("Send one header of 1 to 255 visible ASCII characters without a comma.")
        raise ApplicationError(ErrorCode.INVALID_PARAMETER, details={"Idempotency-Key": [message]})
    once = _Once(view, request, f"user:{user.pk}", key)
    handler: Handler = view.post  # type: ignore[attr-defined]
    run = once.outside if action in view.idempotent_outside else once.inside
    view.post = lambda *args, **kwargs: run(handler, *args, **kwargs)  # type: ignore[attr-defined]


class _Once:
    """One request with a key."""

    def __init__(self, view: "ApiViewMixin", request: Request, caller: str, key: str) -> None:
        self._naming = view.api.naming
        self._route = f"{request.method} {request.path.rstrip('/')}"
        self._digest = _digest(self._route, request.META.get("QUERY_STRING", ""), request._request.body)
        self._caller, self._key = caller, key

    def inside(self, handler: Handler, *args: Any, **kwargs: Any) -> Any:
        """Effect and remembered answer commit together."""
        with transaction.atomic():
            if not idempotency.is_free(self._caller, self._key):
                raise _still_running()
            response = self._replayed() or self._remembered(handler(*args, **kwargs))
            if response.status_code >= FIRST_ERROR_STATUS:
                transaction.set_rollback(True)
            return response

    def outside(self, handler: Handler, *args: Any, **kwargs: Any) -> Any:
        """The answer is remembered once the work is done."""
        with idempotency.held_outside(self._caller, self._key) as is_ours:
            if not is_ours:
                raise _still_running()
            return self._replayed() or self._remembered(handler(*args, **kwargs))

    def _replayed(self) -> Response | None:
        known = idempotency.recall(self._caller, self._key)
        if known is None:
            return None
        if known.digest != self._digest:
            raise ApplicationError(ErrorCode.IDEMPOTENCY_KEY_REUSED)
        metrics.count("idempotency_replays")
        body = msgspec.json.decode(known.body, type=_Body)
        success = Success(orjson.Fragment(bytes(body.data)), body.message)
        return Response(success, status=known.status, headers={**known.headers, "Idempotent-Replayed": "true"})

    def _remembered(self, response: Any) -> Any:
        """Remember what can be given again: an answer of the kit that is no error."""
        if isinstance(response, Response) and response.status_code < FIRST_ERROR_STATUS:
            idempotency.remember(self._caller, self._key, self._route, self._kept(response))
        return response

    def _kept(self, response: Response) -> Remembered:
        success = response.data if isinstance(response.data, Success) else Success(response.data)
        message = None if success.message is None else str(success.message)
        body = dumps({"data": self._naming.rename(success.data), "message": message})
        headers = {name: response.headers[name] for name in REPLAYED_HEADERS if name in response.headers}
        return Remembered(self._digest, response.status_code, headers, body)


def _digest(route: str, query: str, body: bytes) -> bytes:
    """What tells this request from others. A body may hold a password, so nobody else must be able to compute it."""
    head = f"{route}\0{query}\0".encode("utf-8", "surrogateescape")
    secret = blake2b(settings.SECRET_KEY.encode()).digest()
    return blake2b(head + body, digest_size=32, key=secret, person=b"idempotency").digest()


def _still_running() -> ApplicationError:
    return ApplicationError(ErrorCode.IDEMPOTENCY_KEY_BUSY, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
