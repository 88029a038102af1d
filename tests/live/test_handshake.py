"""Who may open a WebSocket."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.test import Client
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from accounts.models import User
from syncjobs.models import SyncJob
from tests.conftest import HANG_SECONDS
from tests.server.webserver import WebServer

FOREIGN_ORIGINS = [
    "https://evil.example",
    "http://shop.example",
    "https://shop.example:8443",
    "https://shop.example.evil.com",
]
MALFORMED_ORIGINS = [
    "null",
    "https://a:bad",
    "https://",
    "file://",
    "https://u:p@shop.example",
    "https://shop.example/x",
]


def status(url: str, token: str = "", **options: Any) -> int:
    """The handshake's answer: 101 when it opened."""
    headers = [("Authorization", f"Bearer {token}")] if token else []
    try:
        headers += options.pop("headers", [])
        with connect(url, additional_headers=headers, open_timeout=HANG_SECONDS, **options):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def protocols(*words: str) -> list[Subprotocol]:
    """Subprotocols to offer."""
    return [Subprotocol(word) for word in words]


@pytest.mark.parametrize(("role", "answer"), [("", 403), ("viewer", 101), ("operator", 101), ("admin", 101)])
def test_reading_syncs_needs_a_role(server: WebServer, sign_in: Callable[..., str], role: str, answer: int) -> None:
    assert status(server.ws, sign_in("somebody", role)) == answer


def test_a_page_sends_its_token_as_a_subprotocol(server: WebServer, sign_in: Callable[..., str]) -> None:
    offered = protocols("s1688", f"bearer.{sign_in()}")
    with connect(server.ws, subprotocols=offered, origin=Origin("https://shop.example")) as connection:
        assert connection.subprotocol == "s1688"


def test_a_token_in_a_subprotocol_needs_an_origin(server: WebServer, sign_in: Callable[..., str]) -> None:
    assert status(server.ws, subprotocols=protocols("s1688", f"bearer.{sign_in()}")) == 403


def test_a_token_in_the_address_counts_for_nothing(server: WebServer, sign_in: Callable[..., str]) -> None:
    assert status(f"{server.ws}?token={sign_in()}", origin="https://shop.example") == 403


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS + MALFORMED_ORIGINS)
def test_foreign_and_malformed_origins_are_refused(server: WebServer, sign_in: Callable[..., str], origin: str) -> None:
    assert status(server.ws, sign_in(), origin=origin) == 403


def test_two_tokens_are_refused(server: WebServer, sign_in: Callable[..., str]) -> None:
    headers = [("Authorization", f"Bearer {sign_in(name)}") for name in ("one", "two")]
    assert status(server.ws, headers=headers[:1]) == 101
    assert status(server.ws, headers=headers) == 403


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer x.y.z", "Basic dTpw", "bearer", "Bearer " + "a" * 5000])
def test_bad_credentials_are_refused(server: WebServer, transactional_db: None, authorization: str) -> None:
    assert status(server.ws, headers=[("Authorization", authorization)]) == 403


def test_no_credentials_are_refused(server: WebServer, transactional_db: None) -> None:
    assert status(server.ws, origin="https://shop.example") == 403


def session_cookie(username: str) -> list[tuple[str, str]]:
    """The cookie of somebody signed in to the back office."""
    client = Client()
    client.force_login(User.objects.get(username=username))
    return [("Cookie", f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}")]


@pytest.mark.parametrize(("role", "answer"), [("viewer", 101), ("", 403)])
def test_a_back_office_page_uses_its_session(
    server: WebServer, sign_in: Callable[..., str], role: str, answer: int
) -> None:
    sign_in("officer", role)
    assert status(server.ws, headers=session_cookie("officer"), origin=server.http) == answer


def test_a_session_counts_from_its_own_host_only(server: WebServer, sign_in: Callable[..., str]) -> None:
    sign_in("officer")
    assert status(server.ws, headers=session_cookie("officer"), origin="https://shop.example") == 403
    assert status(server.ws, headers=session_cookie("officer")) == 403


def test_an_unknown_job_is_not_found_for_those_who_may_look(server: WebServer, sign_in: Callable[..., str]) -> None:
    assert status(f"{server.ws}/sync_19700101_001", sign_in()) == 404
    assert status(f"{server.ws}/sync_19700101_001", sign_in("nobody", "")) == 403


def test_an_address_with_a_nul_names_no_job(server: WebServer, sign_in: Callable[..., str]) -> None:
    assert status(f"{server.ws}/%00", sign_in()) == 404


def test_an_unknown_path_is_not_found(server: WebServer, sign_in: Callable[..., str]) -> None:
    assert status(server.ws.replace("/ws/", "/vs/"), sign_in()) == 404


def test_a_plain_request_to_the_socket_path_is_not_found(server: WebServer, job: SyncJob) -> None:
    assert httpx.get(f"{server.ws}/{job.task_id}".replace("ws:", "http:"), timeout=HANG_SECONDS).status_code == 404


def test_a_refusal_speaks_the_envelope(server: WebServer, transactional_db: None) -> None:
    with pytest.raises(InvalidStatus) as refused, connect(server.ws):
        pass
    assert b'"E00004"' in (refused.value.response.body or b"")
