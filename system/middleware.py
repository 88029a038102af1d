"""Middleware: request ids, the last resort for errors, and page middleware that API calls skip."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import translation

from system import metrics, usage
from system.actor import actor_scope
from system.api.errors import error_of_status, error_response, to_application_error
from system.api.transport import client_version, route_of
from system.logs import log_access
from system.request_id import accept_request_id, request_scope

API_ROOTS = frozenset({"/api", "/ec"})
API_PREFIXES = ("/api/", "/ec/", "/health", "/metrics")
# What stays of an answer whose body is replaced.
KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")
FIRST_ERROR_STATUS = 400
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def is_api(path: str) -> bool:
    """Whether a path belongs to the API surfaces, which answer in JSON only and keep no session."""
    return path.startswith(API_PREFIXES) or path in API_ROOTS


class RequestIdMiddleware:
    """Takes over or makes X-Request-ID, returns it on every answer, and logs one line an API request."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = perf_counter()
        request_id = accept_request_id(request.META.get("HTTP_X_REQUEST_ID"))
        with request_scope(request_id), actor_scope():
            response = self.get_response(request)
            response.headers["X-Request-ID"] = request_id
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
                method=request.method or "",
                route=route_of(request),
                user_id=getattr(user, "pk", None) or 0,
                key_id=getattr(user, "key_id", None) or 0,
                client_version=client_version(request) or "",
            )
        )


def _method(request: HttpRequest) -> str:
    # Anybody can make up methods, and each would become a number of its own.
    return request.method if request.method in METHODS else "OTHER"


def _route(request: HttpRequest) -> str:
    """The pattern that answered; pages together are one."""
    if not is_api(request.path_info):
        return "pages"
    match = request.resolver_match
    return f"/{match.route}" if match else "unknown"


class LastResortMiddleware:
    """Under the API every error is the JSON envelope, whoever made it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code < FIRST_ERROR_STATUS or not is_api(request.path_info):
            return response
        if response.headers.get("Content-Type", "").startswith("application/json"):
            return response
        return _enveloped(request, response)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Errors of views that are not built on the API kit, and of rendering."""
        if is_api(request.path_info):
            return error_response(request, to_application_error(exception))
        return None


def _enveloped(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    # Whoever refused may have done so before the language was chosen.
    with translation.override(translation.get_language_from_request(request)):
        replaced = error_response(request, error_of_status(response.status_code))
    for name in KEPT_HEADERS:
        if name in response.headers:
            replaced.headers[name] = response.headers[name]
    return replaced


class PagesOnly:
    """Mixin: costs an API call nothing."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_api(request.path_info):
            answer: HttpResponseBase = self.get_response(request)
            return answer
        return super().__call__(request)  # type: ignore[misc, no-any-return]


class PageSessionMiddleware(PagesOnly, SessionMiddleware):
    """Sessions for pages."""


class PageAuthenticationMiddleware(PagesOnly, AuthenticationMiddleware):
    """Signed-in users for pages."""


class PageMessageMiddleware(PagesOnly, MessageMiddleware):
    """Flash messages for pages."""


class PageCsrfMiddleware(CsrfViewMiddleware):
    """CSRF checks for pages; API calls carry their own credentials, never cookies."""

    def process_view(self, request: HttpRequest, *view: Any) -> Any:
        return None if is_api(request.path_info) else super().process_view(request, *view)
