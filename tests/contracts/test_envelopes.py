"""Every route answers in the envelope, whatever the status."""

from typing import Any

import pytest
from pytest_django import Settings

from tests.client import opened
from tests.contracts.conftest import Clients
from tests.contracts.routes import LIVE, METHODS, ROUTES, TABLE, Route

pytestmark = pytest.mark.shows("000/AC-11", "000/V-6")

every_route = pytest.mark.parametrize("route", ROUTES, ids=str)
every_write = pytest.mark.parametrize("route", [route for route in ROUTES if route.row.body is not None], ids=str)
WRONG = [
    (route, method)
    for route in ROUTES
    for method in ("PUT", "DELETE", "OPTIONS")
    if method not in METHODS[route.route] and (route.method == "GET" or route.row.body)
]
every_query = pytest.mark.parametrize("route", [route for route in ROUTES if route.row.query], ids=str)


def test_every_route_has_a_row_in_the_table() -> None:
    assert TABLE.keys() - LIVE == set(), "rows of routes that are gone: remove them from tests/contracts/routes.py"
    assert LIVE - TABLE.keys() == set(), "new routes: say in tests/contracts/routes.py what they promise"


@every_route
def test_a_caller_who_may_gets_the_promised_status(
    clients: Clients, world: dict[str, Any], route: Route, version: str
) -> None:
    response = clients[route.row.who].send(route.method, route.path(world), route.body(world))
    assert response.status_code == route.row.status_in(version), response.content.decode()
    if route.row.enveloped:
        opened(response)


@every_route
def test_a_trailing_slash_is_tolerated(clients: Clients, world: dict[str, Any], route: Route) -> None:
    response = clients[route.row.who].send(route.method, f"{route.path(world)}/", route.body(world))
    assert response.status_code == route.row.status


@every_route
def test_an_unknown_format_is_406(clients: Clients, world: dict[str, Any], route: Route) -> None:
    clients[route.row.who].call(
        route.method, route.path(world), route.body(world), expect=406, headers={"Accept": "application/xml"}
    )


@pytest.mark.parametrize(("route", "method"), WRONG, ids=str)
def test_another_method_is_405_and_names_the_right_ones(
    clients: Clients, world: dict[str, Any], route: Route, method: str
) -> None:
    if method in METHODS[route.route]:
        return
    for client in (clients["anyone"], clients["admin"]):
        client.call(method, route.path(world), expect=405)
        assert set(client.last.headers["Allow"].split(", ")) == METHODS[route.route]


@every_route
def test_a_malformed_client_version_is_400(clients: Clients, world: dict[str, Any], route: Route) -> None:
    clients[route.row.who].call(
        route.method, route.path(world), route.body(world), expect=400, headers={"X-Client-Version": "one"}
    )


@every_query
@pytest.mark.parametrize("name", ["nonsense", "no_sense", "noSense"])
def test_an_unknown_parameter_is_400_and_named(
    clients: Clients, world: dict[str, Any], route: Route, version: str, name: str
) -> None:
    error = clients[route.row.who].get(f"{route.path(world)}?{name}=1", expect=400)
    assert name in error["details"]


@every_write
def test_an_unknown_field_is_400_and_named(clients: Clients, world: dict[str, Any], route: Route, version: str) -> None:
    body = {**(route.body(world) or {}), "nonsense": 1}
    error = clients[route.row.who].call(route.method, route.path(world), body, expect=400)
    assert "nonsense" in error["details"]


@every_write
@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b'{"a":1,"a":2}', b"\xff"])
def test_what_is_not_a_json_object_is_400(clients: Clients, world: dict[str, Any], route: Route, body: bytes) -> None:
    clients[route.row.who].call(route.method, route.path(world), body, expect=400)


@every_write
def test_another_media_type_is_415(clients: Clients, world: dict[str, Any], route: Route) -> None:
    client = clients[route.row.who]
    client.call(route.method, route.path(world), b"a=1", expect=415, content_type="text/plain")
    client.call(route.method, route.path(world), b"{}", expect=415, headers={"Content-Encoding": "gzip"})


@every_write
def test_too_long_a_body_is_413(clients: Clients, world: dict[str, Any], route: Route, settings: Settings) -> None:
    body = b" " * (settings.API_MAX_BATCH_BODY_BYTES + 1)
    clients[route.row.who].call(route.method, route.path(world), body, expect=413)
