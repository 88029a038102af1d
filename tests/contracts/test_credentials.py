"""Every operation with every kind of credentials, good and bad, in both versions; a refused call changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from tests.client import ApiClient
from tests.contracts.conftest import Premises, building, everything, undone
from tests.contracts.routes import ROLES, ROUTES, Route
from tests.contracts.wallet import ELSEWHERE, OFFICE, Wallet, payers, wallets

pytestmark = pytest.mark.shows("000/AC-5", "001/4.1")

CLOSED = [route for route in ROUTES if route.row.who != "anyone"]
PAYING = [route for route in CLOSED if route.row.paying]
# Signing out twice is no error.
TAKES_ENDED_SESSIONS = {"POST auth/logout"}
# One of every scope and of every way to authenticate sees the rarer faults, too.
IN_EVERY_WAY = {
    "GET products",
    "POST products",
    "POST sync/start",
    "GET users",
    "GET auth/api-keys",
    "POST auth/logout",
}

BAD, FORBIDDEN, TIER, SCOPE, INCOMPLETE, ADDRESS = "E00003", "E00004", "E04004", "E04005", "E04006", "E04007"
STATUS = {BAD: 401, INCOMPLETE: 401, FORBIDDEN: 403, TIER: 403, SCOPE: 403, ADDRESS: 403}


@dataclass(frozen=True)
class Try:
    """Credentials to call with, and the error they are refused with; "" when they are good."""

    name: str
    token: str = ""
    key: str = ""
    code: str = ""
    details: Any = None
    address: str = ELSEWHERE


@pytest.fixture(scope="module")
def wallet_of(premises: Premises, django_db_blocker: DjangoDbBlocker) -> dict[str, Wallet]:
    """Good and bad credentials by role."""
    with building(django_db_blocker):
        return wallets(premises.people)


@pytest.fixture(scope="module")
def payer_of(wallet_of: dict[str, Wallet], django_db_blocker: DjangoDbBlocker) -> dict[str, tuple[str, str]]:
    """Token and key of somebody without a role, by tier."""
    with building(django_db_blocker):
        return payers()


def call(route: Route, world: dict[str, Any], version: str, tried: Try) -> Any:
    client = ApiClient(tried.token, key=tried.key, version=version)
    return client.send(route.method, route.path(world), route.body(world), REMOTE_ADDR=tried.address)


def refused(wallet: Wallet, route: Route, version: str) -> Iterator[Try]:
    """What is refused; a bad half is tried alone in version 1, and with a good one in version 2."""
    token, key = wallet.token, wallet.by_scope[route.scope]
    good_token, good_key = (token, key) if version != "v1" else ("", "")
    everywhere = str(route) in IN_EVERY_WAY
    yield Try("nothing", code=BAD)
    for name in wallet.stale if everywhere else ("expired", "suspended"):
        yield Try(f"token {name}", wallet.stale[name], good_key, BAD)
    if str(route) not in TAKES_ENDED_SESSIONS:
        yield Try("token of an ended session", wallet.ended, good_key, BAD)
    for name in wallet.void if everywhere else ("expired", "revoked"):
        yield Try(f"key {name}", good_token, wallet.void[name], BAD)
    yield Try("key from elsewhere", good_token, wallet.office_key, ADDRESS, {"address": ELSEWHERE})
    yield Try("somebody else's key", token, wallet.other_key, BAD)
    yield Try("somebody else's token", wallet.other_token, key, BAD)
    if version != "v1" or route.row.keyless:
        yield Try("key alone", key=key, code=INCOMPLETE, details={"missing": ["Authorization"]})
    if version != "v1" and not route.row.keyless:
        yield Try("token alone", token, code=INCOMPLETE, details={"missing": ["X-API-Key"]})
    for narrow in too_narrow(wallet, route):
        keyed = token if version != "v1" else ""
        yield Try("key of too small a scope", keyed, wallet.by_scope[narrow], SCOPE, {"scope": route.scope})


def too_narrow(wallet: Wallet, route: Route) -> set[str]:
    """Scopes that do not include the one needed; each includes reading, and where no key is needed none counts."""
    return set() if route.scope == "read" or route.row.keyless else wallet.by_scope.keys() - {route.scope, "admin"}


def accepted(wallet: Wallet, route: Route, version: str) -> Iterator[Try]:
    """What opens the operation to its lowest role, with the narrowest key that does."""
    token, key = wallet.token, wallet.by_scope[route.scope]
    yield Try("both", token, key)
    yield Try("both from the office", token, wallet.office_key, address=OFFICE)
    if version == "v1" or route.row.keyless:
        yield Try("token alone", token)
    if version == "v1" and not route.row.keyless:
        yield Try("key alone", key=key)
    if str(route) in TAKES_ENDED_SESSIONS:
        yield Try("token of an ended session", wallet.ended, key)


@pytest.mark.parametrize("route", CLOSED, ids=str)
def test_bad_credentials_are_refused_and_change_nothing(
    wallet_of: dict[str, Wallet], world: dict[str, Any], route: Route, version: str
) -> None:
    before = everything()
    for tried in refused(wallet_of[route.row.who], route, version):
        check(call(route, world, version, tried), tried)
    assert everything() == before


@pytest.mark.parametrize("route", CLOSED, ids=str)
def test_good_credentials_open_what_was_promised(
    wallet_of: dict[str, Wallet], world: dict[str, Any], route: Route, version: str
) -> None:
    for tried in accepted(wallet_of[route.row.who], route, version):
        with undone():
            answer = call(route, world, version, tried)
        assert answer.status_code == route.row.status_in(version), (tried.name, answer.content.decode())


@pytest.mark.parametrize("route", [route for route in ROUTES if route.row.who == "anyone"], ids=str)
def test_public_operations_look_at_no_credentials(
    wallet_of: dict[str, Wallet], world: dict[str, Any], route: Route, version: str
) -> None:
    wallet = wallet_of["operator"]
    for tried in (Try("stale", wallet.stale["expired"]), Try("void", key=wallet.void["revoked"])):
        with undone():
            answer = call(route, world, version, tried)
        assert answer.status_code == route.row.status_in(version), tried.name


@pytest.mark.shows("001/4.4.1")
@pytest.mark.parametrize("tier", ["free", "basic", "enterprise", "premium"])
@pytest.mark.parametrize("route", PAYING, ids=str)
def test_a_tier_opens_what_is_paid_for(
    payer_of: dict[str, tuple[str, str]], world: dict[str, Any], route: Route, version: str, tier: str
) -> None:
    token, key = payer_of[tier]
    before = everything()
    if tier in {"enterprise", "premium"}:
        # What belongs to the operator is not theirs to see, and 404.
        assert call(route, world, version, Try(tier, token, key)).status_code not in {401, 403}
        return
    tried = Try(tier, token, key, TIER, {"tier": tier, "needed": ["enterprise", "premium"]})
    check(call(route, world, version, tried), tried)
    assert everything() == before


@pytest.mark.shows("001/4.4.1")
@pytest.mark.parametrize("route", [route for route in CLOSED if not route.row.paying], ids=str)
def test_a_tier_opens_nothing_that_needs_a_role(
    payer_of: dict[str, tuple[str, str]], world: dict[str, Any], route: Route, version: str
) -> None:
    for tier, (token, key) in payer_of.items():
        with undone():
            answer = call(route, world, version, Try(tier, token, key))
        assert (answer.status_code == 403) == (ROLES.index(route.row.who) > ROLES.index("plain_user")), tier


def check(answer: Any, tried: Try) -> None:
    """The refusal is the one that was expected."""
    assert answer.status_code == STATUS[tried.code], (tried.name, answer.content.decode())
    error = answer.json()["error"]
    assert (tried.name, error["code"]) == (tried.name, tried.code)
    assert tried.details is None or error["details"] == tried.details
