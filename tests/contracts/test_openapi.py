"""The documented contract: stable, complete and true."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

from system.api.versions import version_named
from tests.contracts.conftest import Clients
from tests.contracts.routes import LIVE, ROUTES, Route

HERE = Path(__file__).parent
UNDOCUMENTED = {
    "api/docs",
    "api/redoc",
    "api/<version:version>/schema",
    "health",
    "health/live",
    "metrics",
}


@cache
def schema_of(version: str) -> Any:
    generator: Any = SchemaGenerator(api_version=version)  # type: ignore[no-untyped-call]
    with translation.override("en"):
        rendered = OpenApiJsonRenderer().render(generator.get_schema(public=True), renderer_context={})
    return json.loads(rendered)


@pytest.fixture
def schema(version: str) -> Any:
    return schema_of(version)


def documented(route: Route, schema: Any) -> Any:
    version = next(iter(schema["paths"])).split("/")[2]
    operation = schema["paths"][address_of(route, version)][route.method.lower()]
    shared = {f"#/components/responses/{name}": answer for name, answer in schema["components"]["responses"].items()}
    answers = {status: shared.get(answer.get("$ref"), answer) for status, answer in operation["responses"].items()}
    return {**operation, "responses": answers}


def address_of(route: Route, version: str) -> str:
    address = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: _placeholder(found[1], version), route.route)
    return f"/api/{version}/{address}"


def _placeholder(name: str, version: str) -> str:
    return f"{{{'id' if name == 'pk' else version_named(version).naming.outgoing(name)}}}"


def test_the_contract_is_the_committed_one(schema: Any, version: str) -> None:
    committed = json.loads((HERE / f"openapi_{version}.json").read_text(encoding="utf-8"))
    assert schema == committed, (
        "The API changed. If that is meant, run `make openapi` and commit tests/contracts/openapi_*.json."
    )


def test_every_route_is_documented(schema: Any) -> None:
    operations = {(method.upper(), path) for path, methods in schema["paths"].items() for method in methods}
    assert len(operations) == len(LIVE)
    for route in ROUTES:
        assert documented(route, schema)


def test_every_address_is_documented_or_listed() -> None:
    admin, api = "admin/", "api/<version:version>/"
    for address in addresses(get_resolver().url_patterns):
        route = address.removeprefix(api).removesuffix("/")
        known = route in {route for _, route in LIVE} or address in UNDOCUMENTED or address.startswith(admin)
        assert known, f"{address} is neither documented nor listed in {__name__}"


def test_operations_say_in_a_line_what_they_do(schema: Any) -> None:
    operations = [operation for path in schema["paths"].values() for operation in path.values()]
    lines = [operation["summary"] for operation in operations]
    assert not [line for line in lines if not line or "\n" in line or len(line) > 120]


def test_operations_have_names_of_their_own(schema: Any) -> None:
    names = [operation["operationId"] for methods in schema["paths"].values() for operation in methods.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_security_is_documented_as_it_is(schema: Any, route: Route) -> None:
    assert ("security" in documented(route, schema)) == (route.row.who != "anyone")


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_answers_have_the_documented_form(clients: Clients, world: dict[str, Any], version: str, route: Route) -> None:
    response = clients[route.row.who].send(route.method, route.path(world), route.body(world))
    conforms(response, route, version)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.row.enveloped], ids=str)
def test_errors_have_the_documented_form(clients: Clients, world: dict[str, Any], version: str, route: Route) -> None:
    for client in (clients["anyone"], clients["plain_user"]):
        response = client.send(route.method, route.path(world), b"nonsense", headers={"X-Client-Version": "one"})
        conforms(response, route, version)
        if route.row.who not in {"anyone", "plain_user"}:
            conforms(client.send(route.method, route.path(world), route.body(world)), route, version)


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_examples_have_the_documented_form(schema: Any, route: Route, version: str) -> None:
    for answer in documented(route, schema)["responses"].values():
        media = answer.get("content", {}).get("application/json", {})
        for example in media.get("examples", {}).values():
            whole = {**json_schema(media["schema"]), "components": components_of(version)}
            jsonschema.Draft202012Validator(whole).validate(example["value"])


def conforms(response: Any, route: Route, version: str) -> None:
    validator = validator_of(version, route, str(response.status_code))
    if response.status_code == 204:
        assert validator is None
    else:
        assert validator is not None
        validator.validate(json.loads(response.content))


@cache
def validator_of(version: str, route: Route, status: str) -> Any:
    """What holds an answer against its document; None where none has a body."""
    answer = documented(route, schema_of(version))["responses"][status]
    if "content" not in answer:
        return None
    form = answer["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator.check_schema(json_schema(form))
    return jsonschema.Draft202012Validator({**json_schema(form), "components": components_of(version)})


@cache
def components_of(version: str) -> Any:
    components = json_schema(schema_of(version)["components"])
    for named in components["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(named)
    return components


def json_schema(part: Any) -> Any:
    """OpenAPI 3.0 says `nullable`, JSON Schema null; a bound is exclusive by a flag there, by its name here.

    What is not declared should not be answered.
    """
    if isinstance(part, list):
        return [json_schema(item) for item in part]
    if not isinstance(part, dict):
        return part
    converted = {name: json_schema(value) for name, value in part.items() if name != "nullable"}
    for bound, flag in (("maximum", "exclusiveMaximum"), ("minimum", "exclusiveMinimum")):
        if converted.get(flag) is True:
            converted[flag] = converted.pop(bound)
    if isinstance(part.get("properties"), dict) and "additionalProperties" not in part:
        converted["additionalProperties"] = False
    return {"anyOf": [converted, {"type": "null"}]} if part.get("nullable") is True else converted


def addresses(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        address = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, address)
        else:
            yield address
