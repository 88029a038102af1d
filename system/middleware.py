"""Middleware: request ids, the last resort for errors, and page middleware that API calls skip."""

from collections.abc import Callable

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware

API_PREFIXES = ("/api/", "/ec/", "/health")

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def is_api(path: str) -> bool:
    """Whether a path belongs to the API surfaces, which answer in JSON only and keep no session."""
    return path.startswith(API_PREFIXES)


class RequestIdMiddleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)


class LastResortMiddleware(RequestIdMiddleware):
    pass


class PagesOnly:
    """Mixin: costs an API call nothing."""

    get_response: GetResponse

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_api(request.path_info):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc, no-any-return]


class PageSessionMiddleware(PagesOnly, SessionMiddleware):
    """Sessions for pages."""


class PageAuthenticationMiddleware(PagesOnly, AuthenticationMiddleware):
    """Signed-in users for pages."""


class PageMessageMiddleware(PagesOnly, MessageMiddleware):
    """Flash messages for pages."""


class PageCsrfMiddleware(CsrfViewMiddleware):
    """CSRF checks for pages; API calls carry their own credentials, never cookies."""
