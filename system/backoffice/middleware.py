"""What every back-office page gets: a content security policy, the operators' time zone, who acts, limited sign-in."""

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone

from system.actor import Actor, set_actor
from system.api.throttling.charging import address_of, charge, named_bucket, route_bucket
from system.backoffice.base import refusal_text
from system.client_ip import client_ip
from system.errors import ApplicationError
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

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponseBase | None:
        """What a form changes is done by whoever is signed in; signing in is limited like the API's."""
        if request.method != "POST" or not request.path_info.startswith(self.prefix):
            return None
        if request.user.is_authenticated:
            user = request.user
            set_actor(Actor("admin", user.pk, user.get_username(), client_ip(request)))
        match = request.resolver_match
        return _refused_sign_in(request) if match and match.view_name == "admin:login" else None


def _refused_sign_in(request: HttpRequest) -> HttpResponse | None:
    """The answer to somebody who tried too often, from an address or as a user; the API's attempts count, too."""
    name = request.POST.get("username", "")
    try:
        charge(request, [*route_bucket("login", address_of(request)), *named_bucket("login_name", name)])
    except ApplicationError as error:
        return HttpResponse(refusal_text(error), "text/plain", status=error.status, headers=error.headers)
    return None
