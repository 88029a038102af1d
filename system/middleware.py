"""Middleware: what every request gets, and the one decision between the API and pages.

An API call passes two layers, a page the framework's whole chain below the second.
"""

from collections.abc import Callable
from functools import cache
from time import perf_counter
from typing import Any

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.security import SecurityMiddleware
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from system import metrics, usage
from system.actor import actor_scope
from system.api import headers
from system.api.errors import error_of_status, error_response, to_application_error
from system.api.repeats import repeats
from system.api.throttling.charging import account_of, caller_buckets, charge, headers_of
from system.api.transport import client_version, route_of
from system.arrival import ARRIVED, arrival_scope
from system.client_ip import distrust_proxy_headers
from system.errors import ApplicationError, ErrorCode
from system.language import language_of
from system.logs import log_access
from system.request_id import accept_request_id, request_scope

API_ROOTS = frozenset({"/api", "/ec"})
LIMITED_PREFIXES = ("/api/", "/ec/")
API_PREFIXES = (*LIMITED_PREFIXES, "/health", "/metrics")
# What an answer whose body is replaced loses: all else still holds.
BODY_HEADERS = frozenset({"content-type", "content-length", "content-encoding", "content-language", "etag"})
FIRST_ERROR_STATUS = 400
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
REDIRECTED_METHODS = frozenset({"GET", "HEAD"})
HTTPS_NEEDED = _("Only HTTPS is served here")
HTTPS_ADVICE = _("Call the https address; change the password, token or key, it was sent in clear.")

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def is_limited(path: str) -> bool:
    """Whether rate limits count for a path: the API surfaces, but not the health of the server."""
    return path.startswith(LIMITED_PREFIXES) or path in API_ROOTS


def is_api(path: str) -> bool:
    """Whether a path belongs to the API surfaces, which answer in JSON only and keep no session."""
    return path.startswith(API_PREFIXES) or path in API_ROOTS


class RequestIdMiddleware:
    """Takes over or makes X-Request-ID, returns it on every answer, counts it, and logs one line an API request."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = perf_counter()
        distrust_proxy_headers(request)
        request_id = accept_request_id(request.META.get("HTTP_X_REQUEST_ID"))
        with request_scope(request_id), actor_scope(), arrival_scope(request.META.get(ARRIVED)):
            response = self.get_response(request)
            headers.put_last(response, {"x-request-id": ("X-Request-ID", request_id)})
            seconds = perf_counter() - started
            if request.path_info.startswith("/api"):
                log_access(request, response, seconds)
                _note_usage(request)
            metrics.count_request(_method(request), _route(request), response.status_code, seconds)
        return response


def _note_usage(request: HttpRequest) -> None:
    """Count calls that reached a versioned route."""
    match = request.resolver_match
    version = match.kwargs.get("version") if match else None
    if match and version:
        user: Any = getattr(request, "user", None)
        usage.note(
            usage.Call(
                version=version,
                method=_method(request),
                route=route_of(request),
                user_id=getattr(user, "pk", None) or 0,
                key_id=getattr(user, "key_id", None) or 0,
                client_version=client_version(request) or "",
            )
        )


def _method(request: HttpRequest) -> str:
    # Anybody can make up methods, and each would be counted on its own.
    return request.method if request.method in METHODS else "OTHER"


def _route(request: HttpRequest) -> str:
    """The pattern that answered; pages together are one."""
    if not is_api(request.path_info):
        return "pages"
    match = request.resolver_match
    return f"/{match.route}" if match else "unknown"


class ApiMiddleware:
    """Does for an API call what the chain below does for a page, as far as a call needs it, and passes that chain by.

    A call carries its own credentials, never cookies: no session, no CSRF check, no messages. The other middleware of
    the framework either says the same of every answer (`standing_headers`) or is asked where it has something to do.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.pages = get_response
        self._view = _view_of(get_response)
        self._answered: Any = convert_exception_to_response(self._of_known_host)
        self._redirected: Callable[[HttpRequest], HttpResponse | None] = SecurityMiddleware(
            get_response
        ).process_request
        self._cors: Any = CorsMiddleware(self._admitted)
        self._standing = cache(headers.standing_headers)

    def __call__(self, request: HttpRequest) -> Any:
        if not is_api(request.path_info):
            return self.pages(request)
        language = language_of(request)
        translation.activate(language)
        response = repeats.answer(request) or self._worked_out(request, language)
        if not response.streaming:
            headers.put(response, {"content-length": ("Content-Length", str(len(response.content)))})
        return response

    def process_view(self, request: HttpRequest, view: Any, *_arguments: Any) -> None:
        """Views say themselves whether they are limited; those of the kit by their class."""
        if not getattr(getattr(view, "cls", view), "rate_limited", True):
            account_of(request).exempt = True

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Errors of views that are not built on the API kit, and of rendering."""
        if is_api(request.path_info):
            return error_response(request, to_application_error(exception))
        return None

    def _worked_out(self, request: HttpRequest, language: str) -> Any:
        from_page = request.method == "OPTIONS" or "HTTP_ORIGIN" in request.META
        response: Any = self._cors(request) if from_page else self._admitted(request)
        if response.status_code >= FIRST_ERROR_STATUS:
            response = _enveloped(request, response)
        headers.put_missing(response, self._standing(secure=request.is_secure(), language=language))
        repeats.remember(request, response)
        return response

    def _admitted(self, request: HttpRequest) -> HttpResponseBase:
        refused = _plain_http_refused(request) or self._redirected(request)
        return refused or _charged(request, self._answered(request))

    def _of_known_host(self, request: HttpRequest) -> Any:
        request.get_host()
        request.csrf_processing_done = True  # type: ignore[attr-defined]
        return self._view(request)


def _view_of(chain: Any) -> Any:
    """What stands below the last middleware of a chain: it resolves the address and calls the view."""
    layer: Any = getattr(chain, "__wrapped__", None)
    return _view_of(layer.get_response) if hasattr(layer, "get_response") else chain


def _plain_http_refused(request: HttpRequest) -> HttpResponse | None:
    """With HTTPS_ONLY, the refusal of a call over plain HTTP that carries a secret or writes.

    A redirect would be followed in silence, and the secret sent in clear again with every call; a POST would arrive as
    GET. What reads without credentials is redirected like a page (seed 001, section 8.1.1).
    """
    if not settings.SECURE_SSL_REDIRECT or request.is_secure():
        return None
    secret = "HTTP_AUTHORIZATION" in request.META or "HTTP_X_API_KEY" in request.META
    if not secret and request.method in REDIRECTED_METHODS:
        return None
    return error_response(request, ApplicationError(ErrorCode.FORBIDDEN, HTTPS_NEEDED, suggestion=HTTPS_ADVICE))


def _charged(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The answer with what is left of the limits. What no view has charged is charged to its address.

    That is what never reached a view: unknown addresses, and what was refused before.
    """
    account = account_of(request)
    if account.exempt or not is_limited(request.path_info):
        return response
    if not account.charged:
        try:
            charge(request, caller_buckets(request))
        except ApplicationError as refused:
            response = error_response(request, refused)
    headers.put(response, headers_of(account))
    return response


def _enveloped(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """An error as the JSON envelope, whoever made it."""
    if response.headers.get("Content-Type", "").startswith("application/json"):
        return response
    replaced = error_response(request, error_of_status(response.status_code))
    for name, value in response.headers.items():
        if name.lower() not in BODY_HEADERS:
            replaced.headers[name] = value
    return replaced
