"""Who may call what: a table, and a refused call changes nothing."""

from typing import Any

import pytest

from tests.contracts.conftest import Clients, everything
from tests.contracts.routes import ROLES, ROUTES, Route

pytestmark = pytest.mark.shows("000/AC-5")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_the_matrix(clients: Clients, world: dict[str, Any], route: Route, role: str, version: str) -> None:
    client = clients[role]
    if ROLES.index(role) < ROLES.index(route.row.who):
        # The first use of a key is written down, whatever becomes of the call.
        client.send("GET", "auth/profile")
        before = everything()
        client.call(route.method, route.path(world), route.body(world), expect=401 if role == "anyone" else 403)
        assert everything() == before
        assert ("WWW-Authenticate" in client.last.headers) == (role == "anyone")
    else:
        client.send(route.method, route.path(world), route.body(world))
        assert client.last.status_code not in {401, 403}
