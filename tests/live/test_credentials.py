"""Both WebSockets with every kind of credentials: what is not good is refused at the handshake."""

import pytest
from websockets.sync.client import connect

from accounts.models import User
from accounts.services import NewKey, create_key, create_user, revoke_key
from syncjobs.models import SyncJob
from tests.client import key_of
from tests.conftest import PASSWORD
from tests.contracts.wallet import Wallet, wallets
from tests.contracts.world import ROLE_OF
from tests.live.conftest import Watching
from tests.live.test_handshake import protocols, status
from tests.server.webserver import WebServer

PAGE = "https://shop.example"
OPEN, REFUSED = 101, 403


@pytest.fixture
def viewer(transactional_db: None) -> User:
    """Somebody who may watch."""
    return create_user("viewer", "viewer@example.com", PASSWORD, role="viewer")


@pytest.fixture
def wallet(viewer: User) -> Wallet:
    """The viewer's credentials, good and bad."""
    return wallets({"viewer": viewer})["viewer"]


@pytest.fixture(params=["all jobs", "one job"])
def address(request: pytest.FixtureRequest, server: WebServer, job: SyncJob) -> str:
    """Each WebSocket in turn."""
    return server.ws if request.param == "all jobs" else f"{server.ws}/{job.task_id}"


def keyed(address: str, key: str, token: str = "") -> int:
    """The answer to a handshake with this key."""
    return status(address, token, headers=[("X-API-Key", key)])


def as_a_page(address: str, token: str) -> int:
    """The answer to a page's handshake."""
    return status(address, subprotocols=protocols("s1688", f"bearer.{token}"), origin=PAGE)


def test_tokens_open_in_a_header_and_from_a_page(address: str, wallet: Wallet) -> None:
    assert status(address, wallet.token) == OPEN
    assert as_a_page(address, wallet.token) == OPEN


def test_worthless_tokens_are_refused_either_way(address: str, wallet: Wallet) -> None:
    worthless = {**wallet.stale, "ended": wallet.ended}
    assert {name: status(address, token) for name, token in worthless.items()} == dict.fromkeys(worthless, REFUSED)
    assert {name: as_a_page(address, token) for name, token in worthless.items()} == dict.fromkeys(worthless, REFUSED)


def test_nothing_at_all_is_refused(address: str, viewer: User) -> None:
    assert status(address) == REFUSED
    assert status(address, origin=PAGE) == REFUSED


def test_a_key_opens_alone_and_with_a_token_of_the_same_user(address: str, wallet: Wallet) -> None:
    key = wallet.by_scope["read"]
    assert keyed(address, key) == keyed(address, key, wallet.token) == OPEN
    assert keyed(address, key, wallet.other_token) == REFUSED
    assert keyed(address, key, wallet.stale["expired"]) == REFUSED


def test_worthless_keys_are_refused_also_with_a_good_token(address: str, wallet: Wallet) -> None:
    void = {**wallet.void, "from elsewhere": wallet.office_key}
    assert {name: keyed(address, key) for name, key in void.items()} == dict.fromkeys(void, REFUSED)
    assert {name: keyed(address, key, wallet.token) for name, key in void.items()} == dict.fromkeys(void, REFUSED)


def test_a_key_may_be_bound_to_the_address_it_comes_from(address: str, viewer: User) -> None:
    assert keyed(address, key_of(viewer, allowed_ips=("127.0.0.0/8",))) == OPEN


@pytest.mark.parametrize("role", ROLE_OF)
def test_keys_of_those_who_may_watch_open(address: str, transactional_db: None, role: str) -> None:
    key = key_of(create_user("somebody", "somebody@example.com", PASSWORD, role=ROLE_OF[role]))
    assert keyed(address, key) == (REFUSED if role == "plain_user" else OPEN)


def test_a_key_in_the_address_or_twice_counts_for_nothing(address: str, wallet: Wallet) -> None:
    key = wallet.by_scope["read"]
    assert status(f"{address}?api_key={key}") == status(f"{address}?X-API-Key={key}") == REFUSED
    assert status(address, headers=[("X-API-Key", key)] * 2) == REFUSED
    assert status(address, subprotocols=protocols("s1688", f"bearer.{key}"), origin=PAGE) == REFUSED


def test_a_foreign_page_is_refused_also_with_a_good_key(address: str, wallet: Wallet) -> None:
    headers = [("X-API-Key", wallet.by_scope["read"])]
    assert status(address, headers=headers, origin="https://evil.example") == REFUSED


def test_a_revoked_key_closes_its_socket(server: WebServer, job: SyncJob, viewer: User) -> None:

    row, key = create_key(viewer.pk, NewKey(name="watcher"))
    with connect(server.ws, additional_headers=[("X-API-Key", key)]) as connection:
        watching = Watching(connection)
        watching.frame_of("snapshot")
        revoke_key(row.pk)
        assert watching.closing_code() == 4401
