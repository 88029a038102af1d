"""OpenAPI: every success in its envelope, every list as a page, every error that can happen."""

from http import HTTPStatus
from typing import Any

import orjson
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter

from system.api.conditional import ConditionalViewSet
from system.api.errors import BY_STATUS
from system.api.pagination import Page, PageQuery, Window
from system.api.permissions import IsAnyone
from system.api.query import Query
from system.api.renderers import Success, dumps
from system.api.versions import ApiVersion, version_named
from system.api.views import ACCEPTED
from system.errors import ApplicationError, ErrorCode

JsonSchema = dict[str, Any]

ALWAYS = (400, 404, 405, 406, 429, 500, 503)
SIGNED_IN = (401, 403)
WITH_BODY = (409, 411, 413, 415, 422)
WRITES = frozenset({"POST", "PUT", "PATCH"})
LIMIT_HEADERS = (
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "RateLimit",
    "RateLimit-Policy",
)
MATCHED = frozenset({"PUT", "PATCH", "DELETE"})
EXAMPLE_TIME, EXAMPLE_ID = "2025-11-18T13:09:31Z", "4b27dad9e9264ebd8a6d28fa7d4af04a"
REFERENCE = "#/components/schemas/"


def _header(name: str, description: Any) -> OpenApiParameter:
    schema = {"type": "string", "example": '"2f1c8f0a5d3b4e6f8a9b0c1d2e3f4a5b"'}
    return OpenApiParameter(name, schema, OpenApiParameter.HEADER, description=description)


IF_NONE_MATCH = _header("If-None-Match", _("ETags you have; 304 when one still holds"))
IF_MATCH = _header("If-Match", _("The ETag you read; 412 when it changed meanwhile"))
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-+.-~-]+$"},
    OpenApiParameter.HEADER,
    description=_("Any text of yours; the same key and body within 24 hours gets the same answer, done once"),
)


def without_slashed(endpoints: list[Any]) -> list[Any]:
    """The tolerated trailing slash is not documented."""
    return [endpoint for endpoint in endpoints if not endpoint[0].endswith("/")]


class EnvelopeAutoSchema(AutoSchema):
    """Wraps what the views document into the envelope of the view's API version."""

    @property
    def _version(self) -> ApiVersion:
        view: Any = self.view
        return version_named(view.request.version)

    def get_operation_id(self) -> str:
        """Named after the address and the action: sync_start, products_list, auth_profile_update."""
        words = [word.replace("-", "_") for word in self._tokenize_path()]
        action = getattr(self.view, "action", None) or self.method.lower()
        if action == words[-1]:
            return "_".join(words)
        return "_".join([*words, action.removesuffix(f"_{words[-1]}")])

    def get_summary(self) -> str:
        """The first line of what the description says."""
        return str(self.get_description()).partition("\n")[0]

    def get_auth(self) -> list[JsonSchema]:
        if self._allows(IsAnyone):
            return []
        keyless = getattr(self.view, "action", None) in getattr(self.view, "keyless_actions", ())
        ways = ({"bearer": ()},) if keyless else self._version.security
        return [{scheme: list(scopes) for scheme, scopes in way.items()} for way in ways]

    def get_override_parameters(self) -> list[Any]:
        """What a view declares, and the headers of conditional and of repeatable requests."""
        return [*super().get_override_parameters(), *self._header_parameters()]

    def _header_parameters(self) -> list[OpenApiParameter]:
        if self.method == "GET" and self._is_conditional():
            return [IF_NONE_MATCH]
        if self.method in MATCHED and self._is_conditional():
            return [IF_MATCH]
        exempt = getattr(self.view, "action", None) in getattr(self.view, "idempotent_exempt", ())
        return [IDEMPOTENCY_KEY] if self.method == "POST" and not exempt and not self._allows(IsAnyone) else []

    def _is_conditional(self) -> bool:
        return isinstance(self.view, ConditionalViewSet)

    def _resolve_path_parameters(self, variables: list[str]) -> list[JsonSchema]:
        """Identifiers are numbers where they are called `id`, text elsewhere."""
        number: JsonSchema = {"type": "integer", "format": "int64", "minimum": 1}
        return [
            {"in": "path", "name": name, "required": True, "schema": number if name == "id" else {"type": "string"}}
            for name in variables
        ]

    def _get_response_bodies(self, direction: Any = "response") -> JsonSchema:
        # The framework documents a view outside of any request; its own properties must know the version, too.
        view: Any = self.view
        view.api = self._version
        documented = self._settled(super()._get_response_bodies(direction))
        if not getattr(self.view, "enveloped", True):
            return documented
        wrapped = {code: self._wrapped(code, response) for code, response in documented.items()}
        errors = {str(code): self._error(code) for code in self._possible_errors()}
        if self.method == "GET" and self._is_conditional():
            errors["304"] = {"description": gettext("Not modified"), "headers": self._headers(304)}
        return dict(sorted((errors | wrapped).items()))

    def _settled(self, documented: JsonSchema) -> JsonSchema:
        """Accepted work under the status this version answers it with."""
        view: Any = self.view
        status = getattr(view, "accepted_status", ACCEPTED)
        return {str(status) if code == str(ACCEPTED) else code: response for code, response in documented.items()}

    def _wrapped(self, code: str, response: JsonSchema) -> JsonSchema:
        if not code.startswith("2"):
            return self._error(int(code), response["description"])
        if "content" not in response:
            response = {"content": {"application/json": {}}, "description": ""}
        content = response["content"] if code != "204" else {}
        bodies = {kind: self._wrapped_body(kind, media, int(code)) for kind, media in content.items()}
        wrapped = {**response, "description": response["description"] or HTTPStatus(int(code)).phrase}
        wrapped.pop("content")
        return wrapped | ({"content": bodies} if bodies else {}) | {"headers": self._headers(int(code))}

    def _wrapped_body(self, kind: str, media: JsonSchema, status: int) -> JsonSchema:
        """Only JSON stands in the envelope; files are what they are."""
        if kind != "application/json":
            return media
        examples = {
            name: {**example, "value": self._example(example["value"], status)}
            for name, example in media.get("examples", {}).items()
        }
        shown = {"examples": examples} if examples else {}
        return {**media, "schema": self._envelope(media.get("schema")), **shown}

    def _example(self, data: Any, status: int) -> Any:
        """A whole answer around example data; that of a list is its first page."""
        if isinstance(data, list) and self._is_paged():
            data = _first_page(data)
        return _stamped(self._version.success(Success(data), status))

    def _headers(self, status: int) -> JsonSchema:
        names = ["X-Request-ID"]
        if getattr(self.view, "rate_limited", True):
            names += LIMIT_HEADERS
        if self._is_conditional() and status in {200, 304}:
            names.append("ETag")
        names += {201: ["Location"], 401: ["WWW-Authenticate"], 405: ["Allow"]}.get(status, [])
        if status in {429, 503}:
            names.append("Retry-After")
        return {name: {"$ref": f"#/components/headers/{name}"} for name in names}

    def _envelope(self, data: JsonSchema | None) -> JsonSchema:
        name = _name_of(data)
        if data and data.get("type") == "array" and self._is_paged():
            schema = self._version.page_schema(data["items"], self._page_parts())
            return self._component(f"{_name_of(data['items'])}Page", schema)
        return self._component(f"{name}Envelope", self._version.success_schema(data))

    def _page_parts(self) -> JsonSchema:
        """What the view tells of whole lists beside their rows."""
        shown: dict[str, Any] = getattr(self.view, "page_parts", {}).get(getattr(self.view, "action", None), {})
        return {name: self.resolve_serializer(part, "response").ref for name, part in shown.items()}

    def _component(self, name: str, schema: JsonSchema) -> JsonSchema:
        component: Any = ResolvedComponent(  # type: ignore[no-untyped-call]
            name=name, type=ResolvedComponent.SCHEMA, schema=schema, object=name
        )
        self.registry.register_on_missing(component)
        reference: JsonSchema = component.ref
        return reference

    def _error(self, status: int, description: str = "") -> JsonSchema:
        schema = self._component("Error", self._version.failure_schema)
        content = {"application/json": {"schema": schema, "examples": self._error_examples(status)}}
        text = description or str(BY_STATUS[status].message)
        return {"description": text, "content": content, "headers": self._headers(status)}

    def _error_examples(self, status: int) -> JsonSchema:
        code = BY_STATUS[status]
        details = {"page_size": [gettext("Must not be empty.")]} if code is ErrorCode.INVALID_PARAMETER else None
        body = self._version.failure(ApplicationError(code, details=details))
        return {code.value: {"value": _stamped(body)}}

    def _possible_errors(self) -> tuple[int, ...]:
        signed_in = () if self._allows(IsAnyone) else SIGNED_IN
        body = WITH_BODY if self.method in WRITES else ()
        match = (412,) if self.method in MATCHED and self._is_conditional() else ()
        return ALWAYS + signed_in + body + match

    def _allows(self, permission: type) -> bool:
        return any(isinstance(held, permission) for held in self.view.get_permissions())

    def _is_paged(self) -> bool:
        return any(isinstance(query, type) and issubclass(query, PageQuery) for query in self.get_override_parameters())


def _first_page(items: list[Any]) -> Page:
    """The only page of a short list, asked for without parameters."""
    asked = Query({}, frozenset(), "", QueryDict())
    window = Window(page_size=20)
    return Page(items=items, total=len(items), total_exact=True, next_cursor=None, window=window, query=asked)


def _stamped(body: JsonSchema) -> Any:
    """An example body with the time and id of the documents, as plain JSON."""
    stamps = {"timestamp": EXAMPLE_TIME, "request_id": EXAMPLE_ID, "requestId": EXAMPLE_ID}
    return orjson.loads(dumps({name: stamps.get(name, value) for name, value in body.items()}))


def _name_of(schema: JsonSchema | None) -> str:
    if schema is None:
        return "Empty"
    if schema.get("type") == "array":
        return f"{_name_of(schema['items'])}List"
    reference = schema.get("$ref", "")
    return str(reference.removeprefix(REFERENCE)) if reference else "Any"
