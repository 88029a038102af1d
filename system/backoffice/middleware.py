"""What every back-office page gets: a content security policy, the operators' time zone, and who acts."""

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from system.actor import Actor, set_actor
from system.client_ip import client_ip
from system.middleware import GetResponse

# The theme's Alpine evaluates attribute expressions and it styles inline; pictures come from the platform's hosts.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: http: https:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


class BackOfficeMiddleware:
    """Applies to paths under ADMIN_URL only."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.prefix = f"/{settings.ADMIN_URL}"
        self.zone = ZoneInfo(settings.API_INPUT_TIME_ZONE)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(self.prefix):
            return self.get_response(request)
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            # No value of ours holds one, and PostgreSQL refuses to compare with it.
            raise BadRequest("NUL in the address")
        with timezone.override(self.zone):
            response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        """What a form changes is done by whoever is signed in."""
        if request.method == "POST" and request.path_info.startswith(self.prefix) and request.user.is_authenticated:
            user = request.user
            set_actor(Actor("admin", user.pk, user.get_username(), client_ip(request)))
