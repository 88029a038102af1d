"""Base classes of API views: deny by default, lazy authentication, the shape of the version in the URL."""

from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import Promise
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.versioning import URLPathVersioning
from rest_framework.viewsets import GenericViewSet

from system.actor import Actor, set_actor
from system.api.headers import Headers, put_missing, ready
from system.api.idempotency import make_repeatable
from system.api.lifecycle import announce_end
from system.api.pagination import Page
from system.api.permissions import Permission
from system.api.renderers import Success
from system.api.throttling.views import ThrottledView
from system.api.transport import check_client_version, check_transport, route_of
from system.api.versions import ApiVersion, oldest_version, version_named
from system.client_ip import client_ip

VARY = "Authorization, X-API-Key, Accept-Language, origin"
ACCEPTED = 202
PLAIN_ACCEPTS = frozenset({"", "*/*", "application/json"})


@cache
def _permission(kind: type[Any]) -> Any:
    """An instance of a permission class; it keeps nothing of a request."""
    return kind()


@cache
def _caching_headers(control: str | None) -> Headers:
    return ready({"Vary": VARY, **({"Cache-Control": control} if control else {})})


def _actor(request: Request) -> Actor:
    # Public views never look at credentials, so neither may this.
    user: Any = getattr(request._request, "user", None)
    ip = client_ip(request._request)
    if user is None or not user.is_authenticated:
        return Actor("api", ip=ip)
    return Actor("api", user.pk, user.get_username(), ip, user.key_id)


class Negotiation(DefaultContentNegotiation):
    """The framework's negotiation, skipped for what nearly every client sends."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first, *others = renderers
        if not others and request._request.META.get("HTTP_ACCEPT", "") in PLAIN_ACCEPTS:
            return first, first.media_type or ""
        selected: tuple[BaseRenderer, str] = super().select_renderer(request, [first, *others], format_suffix)
        return selected


class ApiViewMixin(ThrottledView):
    """What all API views share.

    Attributes:
        action_permissions: permission class by action name; an action that is not listed falls back to
            `permission_classes`, and those default to nobody.
        cache_control: None means "private" for signed-in callers and nothing for others.
        max_body_bytes: longer bodies are refused with 413.
        json_top_level: what a body may be; nearly always an object.
        enveloped: False for the few answers other programs define the form of.
        idempotent_exempt: actions that ignore Idempotency-Key, since their answers hold secrets.
        idempotent_outside: actions that wait for another service, so that they may hold no transaction.
        keyless_actions: they manage sessions and keys: a token is enough in every version, a key alone never.
        settled_actions: accepted work that version 1 answers with 200, as its specification printed it (seed 000).
    """

    action_permissions: ClassVar[Mapping[str, type[Permission]]] = {}
    cache_control: ClassVar[str | None] = None
    max_body_bytes: ClassVar[int] = settings.API_MAX_BODY_BYTES
    json_top_level: ClassVar[tuple[type, ...]] = (dict,)
    enveloped: ClassVar[bool] = True
    idempotent_exempt: ClassVar[frozenset[str]] = frozenset()
    idempotent_outside: ClassVar[frozenset[str]] = frozenset()
    keyless_actions: ClassVar[frozenset[str]] = frozenset()
    settled_actions: ClassVar[frozenset[str]] = frozenset()

    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    content_negotiation_class = Negotiation
    versioning_class = URLPathVersioning
    version_name = oldest_version()
    # No address ends in a format.
    format_kwarg = None

    @cached_property
    def api(self) -> ApiVersion:
        """The API version of this request; its handlers get no `version` argument."""
        return version_named(self.version_name)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.version_name = kwargs.pop("version", self.version_name)
        return super().dispatch(request, *args, **kwargs)

    def determine_version(self, request: Request, *args: Any, **kwargs: Any) -> tuple[str, None]:
        """Asked by the documents; a request finds its version in `dispatch`."""
        return kwargs.get("version", self.version_name), None

    def get_renderers(self) -> list[BaseRenderer]:
        return [self.api.renderer()]

    def get_parsers(self) -> list[BaseParser]:
        return [self.api.parser()]

    def get_authenticators(self) -> list[BaseAuthentication]:
        return self.api.authenticators()

    def get_permissions(self) -> list[Any]:
        chosen = self.action_permissions.get(getattr(self, "action", None) or "")
        return [_permission(kind) for kind in ((chosen,) if chosen else self.permission_classes)]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Before the handler. The user is asked for by the permissions, so public views never look at credentials."""
        bad_credentials = self.charge_caller(request)
        method = request.method or ""
        if method.lower() not in self.http_method_names or not hasattr(self, method.lower()):
            raise MethodNotAllowed(method)
        check_transport(request._request)
        check_client_version(request._request)
        if bad_credentials is not None:
            raise bad_credentials
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        request.version, request.versioning_scheme = self.version_name, None
        self.check_permissions(request)
        if method not in SAFE_METHODS:
            set_actor(_actor(request))
        if method == "POST":
            make_repeatable(self, request)

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {}

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        announce_end(answer, self.version_name, request.method or "", route_of(request._request))
        if answer.status_code == MethodNotAllowed.status_code:
            answer.headers["Allow"] = ", ".join(self.allowed_methods)
        user = getattr(request._request, "user", None)
        private = user is not None and user.is_authenticated
        put_missing(answer, _caching_headers(self.cache_control or ("private" if private else None)))
        return answer

    def reply(
        self,
        data: Any = None,
        *,
        message: str | Promise | None = None,
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> Response:
        """The answer to a request that went well.

        Args:
            data: JSON values, a `Page` from `page_body`, or ready-made JSON as `orjson.Fragment`.
            message: for people; a general one when left out.
        """
        response = Response(Success(data, message), status=status, headers=headers)
        if isinstance(data, Page) and (links := data.link_header()):
            response.headers.setdefault("Link", links)
        return response

    def accept(self, data: Any, *, message: str | Promise | None = None) -> Response:
        """The answer to work that goes on after it: 202; see `settled_actions` for the exception."""
        return self.reply(data, message=message, status=self.accepted_status)

    @property
    def accepted_status(self) -> int:
        """How accepted work is answered in this version."""
        settled = getattr(self, "action", None) in self.settled_actions
        return self.api.settled_status if settled else ACCEPTED


class ApiView(ApiViewMixin):
    """One address, one handler a method."""


class ApiViewSet(ApiViewMixin, GenericViewSet[Any]):
    """Actions of one resource, mapped to methods in the route table."""
