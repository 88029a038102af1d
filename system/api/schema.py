"""OpenAPI: every success in its envelope, every list as a page, every error that can happen."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent

from system.api.pagination import PageQuery
from system.api.permissions import HasRole, IsAnyone
from system.api.versions import ApiVersion

JsonSchema = dict[str, Any]

ALWAYS = (400, 404, 405, 406, 429, 500, 503)
SIGNED_IN = (401,)
WITH_ROLE = (403,)
WITH_BODY = (409, 411, 413, 415, 422)
WRITES = frozenset({"POST", "PUT", "PATCH"})
DESCRIPTIONS = {
    400: "Invalid parameter",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    411: "Content-Length required",
    413: "Body too large",
    415: "Not application/json",
    422: "Well-formed, but impossible here",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}
REFERENCE = "#/components/schemas/"


def without_slashed(endpoints: list[Any]) -> list[Any]:
    """The tolerated trailing slash is not documented."""
    return [endpoint for endpoint in endpoints if not endpoint[0].endswith("/")]


class EnvelopeAutoSchema(AutoSchema):
    """Wraps what the views document into the envelope of the view's API version."""

    @property
    def _version(self) -> ApiVersion:
        view: Any = self.view
        version: ApiVersion = view.api
        return version

    def get_operation_id(self) -> str:
        """Named after the address and the action: sync_start, products_list, auth_profile_update."""
        words = [word.replace("-", "_") for word in self._tokenize_path()]
        action = getattr(self.view, "action", None) or self.method.lower()
        if action == words[-1]:
            return "_".join(words)
        return "_".join([*words, action.removesuffix(f"_{words[-1]}")])

    def get_auth(self) -> list[JsonSchema]:
        return [] if self._allows(IsAnyone) else super().get_auth()

    def _resolve_path_parameters(self, variables: list[str]) -> list[JsonSchema]:
        """Identifiers are numbers where they are called `id`, text elsewhere."""
        number: JsonSchema = {"type": "integer", "format": "int64", "minimum": 1}
        return [
            {"in": "path", "name": name, "required": True, "schema": number if name == "id" else {"type": "string"}}
            for name in variables
        ]

    def _get_response_bodies(self, direction: Any = "response") -> JsonSchema:
        documented = super()._get_response_bodies(direction)
        if not getattr(self.view, "enveloped", True):
            return documented
        wrapped = {code: self._wrapped(code, response) for code, response in documented.items()}
        errors = {str(code): self._error(code) for code in self._possible_errors()}
        return dict(sorted((errors | wrapped).items()))

    def _wrapped(self, code: str, response: JsonSchema) -> JsonSchema:
        if not code.startswith("2"):
            return self._error(int(code), response["description"])
        if code == "204":
            return response
        if "content" not in response:
            response = {"content": {"application/json": {}}, "description": ""}
        content = response["content"]
        bodies = {kind: {**media, "schema": self._envelope(media.get("schema"))} for kind, media in content.items()}
        return {**response, "content": bodies, "description": response["description"] or "Success"}

    def _envelope(self, data: JsonSchema | None) -> JsonSchema:
        name = _name_of(data)
        if data and data.get("type") == "array" and self._is_paged():
            return self._component(f"{_name_of(data['items'])}Page", self._version.page_schema(data["items"]))
        return self._component(f"{name}Envelope", self._version.success_schema(data))

    def _component(self, name: str, schema: JsonSchema) -> JsonSchema:
        component: Any = ResolvedComponent(  # type: ignore[no-untyped-call]
            name=name, type=ResolvedComponent.SCHEMA, schema=schema, object=name
        )
        self.registry.register_on_missing(component)
        reference: JsonSchema = component.ref
        return reference

    def _error(self, status: int, description: str = "") -> JsonSchema:
        schema = self._component("Error", self._version.failure_schema)
        content = {"application/json": {"schema": schema}}
        return {"description": description or DESCRIPTIONS[status], "content": content}

    def _possible_errors(self) -> tuple[int, ...]:
        signed_in = () if self._allows(IsAnyone) else SIGNED_IN
        role = WITH_ROLE if self._allows(HasRole) else ()
        body = WITH_BODY if self.method in WRITES else ()
        return ALWAYS + signed_in + role + body

    def _allows(self, permission: type) -> bool:
        return any(isinstance(held, permission) for held in self.view.get_permissions())

    def _is_paged(self) -> bool:
        return any(isinstance(query, type) and issubclass(query, PageQuery) for query in self.get_override_parameters())


def _name_of(schema: JsonSchema | None) -> str:
    if schema is None:
        return "Empty"
    if schema.get("type") == "array":
        return f"{_name_of(schema['items'])}List"
    reference = schema.get("$ref", "")
    return str(reference.removeprefix(REFERENCE)) if reference else "Any"
