"""HTTP as a hostile or clumsy client speaks it, against a real server."""

import json
import socket
from typing import Any

import pytest

from tests.conftest import HANG_SECONDS
from tests.server.webserver import WebServer

UPGRADE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: " + "A" * 22 + "==",
)
MEGABYTE = b"x" * 1024 * 1024


class Answer:
    """A parsed HTTP answer."""

    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = dict(line.lower().split(": ", 1) for line in lines[1:])

    @property
    def error(self) -> str:
        """The code in the error envelope."""
        parsed: dict[str, Any] = json.loads(self.body)
        return str(parsed["error"]["code"])


def exchange(server: WebServer, *parts: bytes, half_close: bool = False) -> bytes:
    """Send bytes on a new connection and read until the server closes it."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=HANG_SECONDS) as connection:
        for part in parts:
            connection.sendall(part)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def head(path: str = "/api/v1/auth/login", *headers: str, method: str = "POST") -> bytes:
    """A request's head."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def test_a_body_that_is_announced_too_large_is_refused_in_the_envelope(server: WebServer) -> None:
    answer = Answer(exchange(server, head("/api/v1/x", f"Content-Length: {6 * 1024**2}"), *[MEGABYTE] * 6))
    assert (answer.status, answer.error, answer.headers["connection"]) == (413, "E00014", "close")


def test_an_endless_chunked_body_is_refused_and_cut(server: WebServer) -> None:
    chunk = b"100000\r\n" + MEGABYTE + b"\r\n"
    answer = Answer(exchange(server, head("/api/v1/x", "Transfer-Encoding: chunked"), *[chunk] * 7))
    assert (answer.status, answer.error) == (413, "E00014")


def test_a_chunked_body_is_read_like_any_other(server: WebServer, transactional_db: None) -> None:
    body = json.dumps({"username": "nobody", "password": "wrong-password"}).encode()
    same = ("Content-Type: application/json",)
    plain = exchange(server, head("/api/v1/auth/login", *same, f"Content-Length: {len(body)}"), body)
    pieces = b"".join(b"%x\r\n%b\r\n" % (1, body[at : at + 1]) for at in range(len(body)))
    chunked = exchange(server, head("/api/v1/auth/login", *same, "Transfer-Encoding: chunked"), pieces + b"0\r\n\r\n")
    assert (
        (Answer(chunked).status, Answer(chunked).error)
        == (Answer(plain).status, Answer(plain).error)
        == (401, "E04001")
    )


def test_half_a_body_gets_no_answer_at_all(server: WebServer) -> None:
    assert exchange(server, head("/api/v1/x", "Content-Length: 10"), b"abc", half_close=True) == b""


def test_a_body_that_never_comes_is_timed_out(server: WebServer) -> None:
    assert Answer(exchange(server, head("/api/v1/x", "Content-Length: 10"), b"abc")).status == 408


def test_a_head_that_never_ends_is_timed_out(server: WebServer) -> None:
    assert Answer(exchange(server, b"GET / HTTP/1.1\r\nHost: x\r\n")).status == 408


def test_a_silent_connection_is_closed(server: WebServer) -> None:
    assert exchange(server) == b""


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (head("/api/v1/products?q=" + "x" * 20_000, method="GET"), 414),
        (head("/api/v1/products", "X-Long: " + "x" * 60_000, method="GET"), 431),
        (head("/api/v1/products", *["X-Many: 1"] * 500, method="GET"), 431),
        (b"GET / HTTP/1.1\r\nX-Endless: " + b"x" * 200_000, 431),
        (b"GET nonsense HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (head("/api/v1/x", "Content-Length: 3", "Transfer-Encoding: chunked"), 400),
        (head("/api/v1/x", "Content-Length: -1"), 400),
        (head("/api/v1/x", method="FOO"), 405),
        (head("/ws/v1/sync", *UPGRADE, "X-Long: " + "x" * 10_000, method="GET"), 431),
        (head("/ws/v1/sync", *UPGRADE, *["X-Many: 1"] * 500, method="GET"), 431),
        (head("/ws/v1/" + "x" * 10_000, *UPGRADE, method="GET"), 414),
        (head("/api/v1/x", "Transfer-Encoding: chunked") + b"nonsense\r\n", 400),
        (head("/api/v1/x", "Transfer-Encoding: unknown"), 400),
    ],
)
def test_malformed_and_oversized_heads_get_the_envelope(server: WebServer, request_head: bytes, status: int) -> None:
    answer = Answer(exchange(server, request_head))
    assert answer.status == status
    assert answer.error.startswith("E000")
    assert answer.headers["x-request-id"]


def test_an_unknown_method_is_told_which_ones_there_are(server: WebServer) -> None:
    assert "get" in Answer(exchange(server, head("/api/v1/x", method="FOO"))).headers["allow"]


def test_nonsense_right_behind_a_request_is_answered_after_it(server: WebServer) -> None:
    good = head("/health/live", method="GET").replace(b"Connection: close\r\n", b"")
    answers = exchange(server, good + head("/api/v1/x", method="FOO")).split(b"HTTP/1.1 ")
    assert [answer[:3] for answer in answers] == [b"", b"200", b"405"]


def test_a_chinese_word_typed_as_it_is_reaches_the_application(server: WebServer, transactional_db: None) -> None:
    raw = head("/api/v1/products?q=", method="GET").replace(b"q=", "q=手机".encode(), 1)
    assert Answer(exchange(server, raw)).status in {200, 401, 404}


def test_the_server_does_not_name_itself(server: WebServer) -> None:
    answer = Answer(exchange(server, head("/health/live", method="GET")))
    assert answer.status == 200
    assert "server" not in answer.headers


def test_a_client_that_reads_nothing_holds_nobody_up(server: WebServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as silent:
        silent.sendall(head("/api/docs", method="GET").replace(b"Connection: close\r\n", b"") * 20)
        assert Answer(exchange(server, head("/health/live", method="GET"))).status == 200
