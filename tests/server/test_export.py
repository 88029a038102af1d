"""Exports over a real server: who leaves or reads slowly holds no thread."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from accounts.models import User
from accounts.services import open_session
from system.sql import execute
from tests.conftest import HANG_SECONDS, eventually
from tests.server.webserver import WebServer, web_server

pytestmark = pytest.mark.django_db(transaction=True)

PRODUCTS, THREADS, RUDE_CLIENTS = 5_000, 2, 8
FILL = f"""
    INSERT INTO products_product (source, source_id, sku, title, description, currency, price_tiers, stock,
        min_order_quantity, unit, sold_count, images, attributes, status, url, fingerprint, owned_fields, version,
        created_at, updated_at)
    SELECT 'demo', n::text, '1688-' || n, repeat('x', 400), '', 'CNY', '[]', 1, 1, '', 0, '[]',
        jsonb_build_object('x', repeat('y', 1000)), 'published', '', '', '{{}}', 1, now(), now()
    FROM generate_series(1, {PRODUCTS}) AS n
"""  # noqa: S608 - constants only


@pytest.fixture(scope="module")
def exporting(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A server of two threads with a folder of its own."""
    folder = tmp_path_factory.mktemp("exports")
    with web_server("--threads", str(THREADS), EXPORT_DIR=str(folder)) as running:
        yield running


@pytest.fixture
def token(operator: User) -> str:
    """An operator's token, and enough products for a file that fits into no buffer."""
    execute(FILL)
    return str(open_session(operator)["token"])


def threads(server: WebServer) -> int:
    return sum(len(list((process / "task").iterdir())) for process in server.processes)


def open_files(server: WebServer) -> list[str]:
    """The export files the server holds open."""
    links = [link for process in server.processes for link in (process / "fd").iterdir()]
    return [target for link in links if "exports" in (target := _target(link))]


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""


def asked(server: WebServer, token: str, query: str = "format=csv") -> socket.socket:
    """A connection on which an export was asked for."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=HANG_SECONDS)
    lines = [f"GET /api/v1/products/export?{query} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}"]
    connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
    return connection


def headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("file_format", ["csv", "ndjson", "xlsx"])
def test_a_file_arrives_whole_and_with_its_length(exporting: WebServer, token: str, file_format: str) -> None:
    address = f"{exporting.http}/api/v1/products/export?format={file_format}"
    answer = httpx.get(address, headers=headers(token), timeout=HANG_SECONDS)

    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert answer.headers["Content-Disposition"].endswith(f'.{file_format}"')
    if file_format == "ndjson":
        assert len([json.loads(line) for line in answer.text.splitlines()]) == PRODUCTS
    assert httpx.head(address, headers=headers(token), timeout=HANG_SECONDS).content == b""


def test_a_refusal_is_the_envelope(exporting: WebServer, token: str) -> None:
    answer = httpx.get(f"{exporting.http}/api/v1/products/export?foo=1", headers=headers(token), timeout=HANG_SECONDS)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "E00002")


def test_clients_that_leave_after_a_kilobyte_free_thread_and_file(exporting: WebServer, token: str) -> None:
    httpx.get(f"{exporting.http}/api/v1/products", headers=headers(token), timeout=HANG_SECONDS)
    before = threads(exporting)

    for _ in range(RUDE_CLIENTS):
        with asked(exporting, token) as connection:
            assert connection.recv(1024).startswith(b"HTTP/1.1 200")

    answer = httpx.get(f"{exporting.http}/api/v1/products", headers=headers(token), timeout=HANG_SECONDS)
    assert answer.status_code == 200
    eventually(lambda: not open_files(exporting))
    # The pool starts its second thread when it first needs one.
    assert threads(exporting) <= before + THREADS - 1


def test_clients_that_do_not_read_hold_no_thread(exporting: WebServer, token: str) -> None:
    stalled = [asked(exporting, token) for _ in range(THREADS * 2)]
    try:
        for connection in stalled:
            assert connection.recv(16).startswith(b"HTTP/1.1 200")

        for _ in range(5):
            answer = httpx.get(f"{exporting.http}/api/v1/products", headers=headers(token), timeout=HANG_SECONDS)
            assert answer.status_code == 200
        assert open_files(exporting)
    finally:
        for connection in stalled:
            connection.close()
    eventually(lambda: not open_files(exporting))
