"""Who may call what: a table that is held against the views, and a refused call changes nothing."""

from typing import Any

import pytest

from tests.contracts.conftest import Clients, everything, undone
from tests.contracts.routes import ROLES, ROUTES, Route, live_permission

pytestmark = pytest.mark.shows("000/AC-5")


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_the_table_says_what_the_view_asks_for(route: Route) -> None:
    permission, keyless = live_permission(route.method, route.route)
    # Views that look at no credentials have no permission with a scope.
    asked = getattr(permission, "needed_scope", lambda _method: "")(route.method)
    role = getattr(permission, "role", "plain_user" if asked else "anyone") or "plain_user"
    paying = getattr(permission, "paying", False)
    assert (route.scope, route.row.paying) == (asked, paying)
    # Without paying an operator may, whatever the tier.
    assert route.row.who == ("operator" if paying else role)
    assert keyless == route.row.keyless or role == "anyone"


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_the_matrix(clients: Clients, world: dict[str, Any], route: Route, version: str) -> None:
    needed = ROLES.index(route.row.who)
    for role in ROLES[:needed]:
        # The first use of a key is written down, whatever becomes of the call.
        clients[role].send("GET", "auth/profile")
    before = everything()
    for role in ROLES[:needed]:
        client = clients[role]
        client.call(route.method, route.path(world), route.body(world), expect=401 if role == "anyone" else 403)
        assert ("WWW-Authenticate" in client.last.headers) == (role == "anyone")
    assert not needed or everything() == before
    for role in ROLES[needed:]:
        with undone():
            answer = clients[role].send(route.method, route.path(world), route.body(world))
        assert answer.status_code not in {401, 403}, role
