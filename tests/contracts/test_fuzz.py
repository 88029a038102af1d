"""Calls nobody thought of: schemathesis reads the schema, invents calls, and holds every answer against it."""

import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection

from accounts.services import open_session
from tests.contracts.test_openapi import schema_of

ROLES = os.environ.get("FUZZ_ROLES", "admin").split(",")
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "5"))

# OpenAPI 3.0 cannot say which parameters exclude each other, nor what exists: such calls are refused with these.
REFUSALS = ["2xx", "304", "400", "401", "403", "404", "409", "412", "422", "429", "502", "503", "504"]
CONFIG = {"checks": {"positive_data_acceptance": {"expected-statuses": REFUSALS}}}

fuzzed = schemathesis.openapi.from_dict(schema_of("v1"), config=schemathesis.Config.from_dict(CONFIG))


@cache
def handler() -> WSGIHandler:
    return WSGIHandler()


def application(environ: Any, start_response: Any) -> Any:
    """The project as a WSGI program, made with the first call: while tests are collected there is no static folder."""
    return handler()(environ, start_response)


fuzzed.app = application


@pytest.fixture
def one_connection(db: None) -> Iterator[None]:
    """A real server closes broken connections between requests; here all requests share the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("one_connection")
@pytest.mark.parametrize("role", ROLES)
@fuzzed.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_call_breaks_the_contract(case: Any, request: pytest.FixtureRequest, role: str) -> None:
    token = open_session(request.getfixturevalue(role))["token"]
    skipped = [negative_data_rejection] if takes_any_words(case) else []
    case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, excluded_checks=skipped)


def takes_any_words(case: Any) -> bool:
    """In a query one word looks like a list of one word, so that calling it a wrong type would be wrong."""
    parameters = case.operation.definition.raw.get("parameters", [])
    items = [parameter["schema"].get("items", {}) for parameter in parameters if parameter["in"] == "query"]
    return any(item.get("type") == "string" and "enum" not in item for item in items)
