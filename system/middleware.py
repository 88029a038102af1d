"""Middleware: proxies, request ids, limits, the last resort for errors, and page middleware that API calls skip."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from system import metrics, usage
from system.actor import actor_scope
from system.api.errors import error_of_status, error_response, to_application_error
from system.api.throttling.charging import account_of, caller_buckets, charge, headers_of
from system.api.transport import client_version, route_of
from system.client_ip import PROXY_HEADERS, from_trusted_proxy
from system.errors import ApplicationError, ErrorCode
from system.logs import log_access
from system.request_id import accept_request_id, request_scope

API_ROOTS = frozenset({"/api", "/ec"})
LIMITED_PREFIXES = ("/api/", "/ec/")
API_PREFIXES = (*LIMITED_PREFIXES, "/health", "/metrics")
# What an answer whose body is replaced loses: all else still holds.
BODY_HEADERS = frozenset({"content-type", "content-length", "content-encoding", "content-language", "etag"})
# Documents are pages, with a policy of their own.
CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'"
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


def _refused(request: HttpRequest, error: ApplicationError) -> HttpResponse:
    # Whoever refused may have done so before the language was chosen.
    with translation.override(translation.get_language_from_request(request)):
        return error_response(request, error)


def _enveloped(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    replaced = _refused(request, error_of_status(response.status_code))
    for name, value in response.headers.items():
        if name.lower() not in BODY_HEADERS:
            replaced.headers[name] = value
    return replaced


class ProxyMiddleware:
    """Drops X-Forwarded headers of whoever is not one of TRUSTED_PROXIES, so that nobody later can believe them."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not from_trusted_proxy(request):
            for name in PROXY_HEADERS:
                request.META.pop(name, None)
        return self.get_response(request)


class PlainHttpMiddleware:
    """With HTTPS_ONLY, an API call over plain HTTP that carries a secret or writes is refused instead of redirected.

    A redirect would be followed in silence, and the secret sent in clear again with every call; a POST would arrive as
    GET. What reads without credentials is redirected like a page (seed 001, section 8.1.1).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.SECURE_SSL_REDIRECT and not request.is_secure() and is_api(request.path_info):
            secret = "HTTP_AUTHORIZATION" in request.META or "HTTP_X_API_KEY" in request.META
            if secret or request.method not in REDIRECTED_METHODS:
                return _refused(request, ApplicationError(ErrorCode.FORBIDDEN, HTTPS_NEEDED, suggestion=HTTPS_ADVICE))
        return self.get_response(request)


class RateLimitMiddleware:
    """Charges API calls that no view has charged to their address, and tells the limits on every answer.

    What never reached a view: unknown addresses, and what other middleware refused.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        account = account_of(request)
        if account.exempt or not is_limited(request.path_info):
            return response
        if not account.charged:
            try:
                charge(request, caller_buckets(request))
            except ApplicationError as refused:
                response = error_response(request, refused)
        for name, value in headers_of(account).items():
            response.headers[name] = value
        return response

    def process_view(self, request: HttpRequest, view: Any, *_arguments: Any) -> None:
        """Views say themselves whether they are limited; those of the kit by their class."""
        if not getattr(getattr(view, "cls", view), "rate_limited", True):
            account_of(request).exempt = True


class ApiHeadersMiddleware:
    """What browsers must know of an answer in JSON: nothing in it may run, be framed or be kept by others."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if is_api(request.path_info):
            response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
            response.headers.setdefault("Cache-Control", "no-store")
        return response


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
