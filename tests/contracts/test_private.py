"""What belongs to others is answered like what does not exist, and stays as it is."""

import uuid
from typing import Any

import pytest

from accounts.models import User
from accounts.services import create_user
from system.models import Task
from tests.client import ApiClient
from tests.conftest import PASSWORD
from tests.contracts.conftest import Clients, everything
from tests.contracts.routes import ROUTES, Route

pytestmark = pytest.mark.shows("000/AC-5")

# What the operator of the world owns, and what nobody owns.
UNKNOWN = {"export": str(uuid.UUID(int=1)), "key": 2**40, "webhook": 2**40, "delivery": 2**40}
PRIVATE = [route for route in ROUTES if any(f"{{{name}}}" in (route.row.path or "") for name in UNKNOWN)]


@pytest.fixture(params=["operator", "premium"])
def other(request: pytest.FixtureRequest, version: str) -> ApiClient:
    """Somebody of the same rank, and somebody whose tier opens the same operations."""
    role, tier = ("operator", "free") if request.param == "operator" else ("", "premium")
    client = ApiClient(version=version).as_(create_user("other", "o@example.com", PASSWORD, role=role, tier=tier))
    # The first use of a key is written down.
    client.get("auth/profile")
    return client


def test_what_is_private_is_found_in_the_table() -> None:
    assert {str(route).split("/<")[0].split()[-1] for route in PRIVATE} == {
        "auth/api-keys",
        "products/exports",
        "webhooks",
    }


@pytest.mark.parametrize("route", PRIVATE, ids=str)
def test_what_is_somebody_elses_is_answered_like_what_does_not_exist(
    other: ApiClient, world: dict[str, Any], route: Route
) -> None:
    unknown = other.send(route.method, route.path(world | UNKNOWN), route.body(world))
    before = everything()
    theirs = other.send(route.method, route.path(world), route.body(world))
    assert everything() == before
    assert without_the_call(theirs) == without_the_call(unknown)
    may = route.row.paying or User.objects.get(username="other").groups.exists()
    assert theirs.status_code == (404 if may else 403)


def without_the_call(answer: Any) -> Any:
    """An answer without what names the call itself; headers too, for an ETag would tell as much as the body."""
    own = {"timestamp", "request_id", "requestId"}
    body = {name: value for name, value in answer.json().items() if name not in own}
    changing = {"X-Request-ID", "Date"} | {name for name in answer.headers if "ratelimit" in name.lower()}
    return answer.status_code, body, {k: v for k, v in answer.headers.items() if k not in changing}


@pytest.mark.parametrize("listed", ["auth/api-keys", "webhooks"])
def test_lists_hold_ones_own_things_only(clients: Clients, world: dict[str, Any], version: str, listed: str) -> None:
    stranger = create_user("other", "o@example.com", PASSWORD, role="operator", tier="premium")
    own = clients["operator"].get(listed)
    theirs = ApiClient(version=version).as_(stranger).get(listed)
    own, theirs = ({row["id"] for row in (found["items"] if version == "v1" else found)} for found in (own, theirs))
    assert own
    assert not own & theirs


def test_an_idempotency_key_of_others_is_as_if_unused(
    clients: Clients, other: ApiClient, world: dict[str, Any], version: str
) -> None:
    headers = {"Idempotency-Key": "the-same-word"}
    asked = f"shops/{world['shop']}/follow"
    clients["operator"].post(asked, headers=headers)
    other.post(asked, headers=headers)
    assert "Idempotent-Replayed" not in other.last.headers
    other.post(asked, headers=headers)
    assert other.last.headers["Idempotent-Replayed"] == "true"


def test_administrators_see_everybodys_exports_and_webhooks(
    clients: Clients, world: dict[str, Any], version: str
) -> None:
    admin = clients["admin"]
    admin.get(f"products/exports/{world['export']}")
    admin.get(f"webhooks/{world['webhook']}")
    admin.delete(f"auth/api-keys/{world['key']}", expect=404)
    assert Task.objects.filter(pk=world["export"]).exists()
