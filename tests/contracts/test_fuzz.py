"""Calls nobody thought of: schemathesis reads the schema, invents calls, and holds every answer against it."""

import os
import re
import socket
import zlib
from collections.abc import Callable, Iterator
from copy import copy
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import negative_data_rejection

from accounts.services import open_session
from tests.contracts.conftest import Premises
from tests.contracts.routes import ROUTES
from tests.contracts.test_openapi import address_of, schema_of

ROLES = os.environ.get("FUZZ_ROLES", "admin").split(",")
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10"))
# Every bound of every parameter, too: some 9,000 calls a version and role, for which only `make fuzz` waits.
BOUNDS = "FUZZ_BOUNDS" in os.environ

# OpenAPI 3.0 cannot say which parameters exclude each other, nor what exists: such calls are refused with these.
REFUSALS = ["2xx", "304", "400", "401", "403", "404", "409", "412", "422", "429", "502", "503", "504"]
CONFIG = {
    "checks": {"positive_data_acceptance": {"expected-statuses": REFUSALS}},
    "phases": {"coverage": {"enabled": BOUNDS}},
}
HERE = "127.0.0.1"


@cache
def handler() -> WSGIHandler:
    return WSGIHandler()


def application(environ: Any, start_response: Any) -> Any:
    """The project as a WSGI program, made with the first call: while tests are collected there is no static folder.

    Like a server, and unlike schemathesis, it closes what it was answered (PEP 3333).
    """
    answer = handler()(environ, start_response)
    try:
        return [b"".join(answer)]
    finally:
        answer.close()


@pytest.fixture
def one_connection(db: None) -> Iterator[None]:
    """A real server closes broken connections between requests; here all requests share the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def nothing_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Invented addresses are never asked for, and who would be called anyway is a failure of the test."""
    connect = socket.socket.connect

    def nobody(host: Any, *_args: Any, **_options: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, f"{host} is not asked for")

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] != HERE:
            pytest.fail(f"A call left this machine: {address}")
        connect(self, address)

    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *args, **options: (resolve if host == HERE else nobody)(host, *args, **options),
    )
    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def caller(premises: Premises, role: str) -> Callable[[str], dict[str, str]]:
    """The headers of a caller of this role: always a fresh session, because calls may end it."""

    def headers(version: str) -> dict[str, str]:
        token = {"Authorization": f"Bearer {open_session(copy(premises.people[role]))['token']}"}
        return token if version == "v1" else {**token, "X-API-Key": premises.keys[role]}

    return headers


def fuzzed(version: str) -> Any:
    """The test of one version."""
    schema = schemathesis.openapi.from_dict(schema_of(version), config=schemathesis.Config.from_dict(CONFIG))
    schema.app = application

    @pytest.mark.usefixtures("one_connection", "nothing_leaves")
    @pytest.mark.parametrize("role", ROLES)
    @schema.parametrize()
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    def breaks_nothing(case: Any, world: dict[str, Any], caller: Callable[[str], dict[str, str]]) -> None:
        aim(case, version, world)
        skipped = [negative_data_rejection] if takes_any_words(case) else []
        case.call_and_validate(headers=caller(version), excluded_checks=skipped)

    return breaks_nothing


test_no_call_breaks_the_contract_of_v1 = fuzzed("v1")
test_no_call_breaks_the_contract_of_v2 = fuzzed("v2")


def aim(case: Any, version: str, world: dict[str, Any]) -> None:
    """Have half of the calls that could hit something hit what exists: invented identifiers never would."""
    if case.meta.is_negative_at(ParameterLocation.PATH) or zlib.crc32(repr(case.path_parameters).encode()) % 2:
        return
    for route in ROUTES:
        if route.method == case.method and address_of(route, version) == case.path:
            form = re.sub(r"{(\w+)}", r"(?P<\1>[^/?]+)", case.path)
            found = re.match(form, f"/api/{version}/{route.path(world)}")
            case.path_parameters.update(found.groupdict() if found else {})


def takes_any_words(case: Any) -> bool:
    """In a query one word looks like a list of one word, so that calling it a wrong type would be wrong."""
    parameters = case.operation.definition.raw.get("parameters", [])
    items = [parameter["schema"].get("items", {}) for parameter in parameters if parameter["in"] == "query"]
    return any(item.get("type") == "string" and "enum" not in item for item in items)
