"""Every change through the API leaves a line in the audit log, with who made it (P30)."""

from typing import Any

import pytest

from system.models import AuditLog
from tests.contracts.conftest import Clients
from tests.contracts.routes import ROUTES, Route

# They open and close one's own session, and change nothing else.
SESSIONS = {"auth/login", "auth/refresh", "auth/logout"}
# They look, and change nothing.
READING = {"sync/validate", "sync/sources/<pk>/check"}
# What is called before, so that there is something to change.
FIRST = {
    "DELETE shops/<pk>/follow": "shops/{shop}/follow",
    "POST products/<pk>/publish": "products/{product}/disable",
}
# Of a secret neither the old nor the new value is told.
SECRET = {"user.password", "webhook.rotate", "api_key.reset"}
CHANGING = [
    route
    for route in ROUTES
    if route.method != "GET" and route.row.who != "anyone" and route.route not in SESSIONS | READING
]


@pytest.mark.parametrize("route", CHANGING, ids=str)
def test_a_change_is_audited_with_who_made_it(clients: Clients, world: dict[str, Any], route: Route) -> None:
    client = clients[route.row.who]
    if str(route) in FIRST:
        client.send("POST", FIRST[str(route)].format(**world))
    before = set(AuditLog.objects.values_list("pk", flat=True))
    answer = client.send(
        route.method, route.path(world), route.body(world), headers={"X-Request-ID": "audited"}, REMOTE_ADDR="192.0.2.7"
    )
    assert answer.status_code < 300, answer.content.decode()
    lines = AuditLog.objects.exclude(pk__in=before)
    assert lines, f"{route} changes something and leaves no audit line"
    for line in lines:
        assert (line.via, line.actor, line.ip) == ("api", route.row.who.replace("plain_user", "plain"), "192.0.2.7")
        assert line.user_id
        assert line.request_id == "audited"
        assert line.action.count(".") == 1
        assert line.target_type
        assert line.action in SECRET or line.before is not None or line.after is not None


@pytest.mark.parametrize("route", CHANGING, ids=str)
def test_a_refused_change_is_not_audited(clients: Clients, world: dict[str, Any], route: Route) -> None:
    client = clients[route.row.who]
    before = AuditLog.objects.count()
    client.send(route.method, route.path(world), b"nonsense")
    if client.last.status_code >= 400:
        assert AuditLog.objects.count() == before
