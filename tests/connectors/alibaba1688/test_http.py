"""The hardened HTTP client against servers that misbehave."""

import gzip
import os
import socket
import ssl
import struct
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from syncjobs.connectors.http import LONGEST_RETRY_AFTER, HttpAnswer, HttpClient
from syncjobs.engine.errors import EngineError, FatalSourceError, RetryableSourceError
from tests.connectors.alibaba1688.support import http_answer, serving

HERE = ("127.0.0.1",)
SECRET = "refresh-0001"


def failure_of(answer: Any, **limits: Any) -> EngineError:
    """The error of a call whose answer is `answer`; it must not tell what was sent."""
    with serving(answer) as (url, _), pytest.raises(EngineError) as failure:
        HttpClient(HERE, **limits).post_form(f"{url}/openapi?access_token={SECRET}", {"refresh_token": SECRET})
    assert SECRET not in str(failure.value)
    return failure.value


def test_a_form_is_posted_in_utf_8() -> None:
    with serving(http_answer(b'{"ok":1}', X_Kind="a")) as (url, requests):
        answer = HttpClient(HERE).post_form(f"{url}/openapi/x", {"keyword": "连衣裙", "a": "1&2"})
    assert (answer.status, answer.body, answer.headers["x-kind"]) == (200, b'{"ok":1}', "a")
    head, _, body = requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /openapi/x HTTP/1.1\r\nHost: 127.0.0.1:")
    assert body == b"keyword=%E8%BF%9E%E8%A1%A3%E8%A3%99&a=1%262"


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with serving(http_answer(b"", "302 Found", Location="http://169.254.169.254/")) as (url, requests):
        assert HttpClient(HERE).request("GET", url).status == 302
    assert len(requests) == 1


def test_a_cookie_is_not_kept() -> None:
    with serving(http_answer(b"", Set_Cookie="session=1; Path=/")) as (url, requests):
        client = HttpClient(HERE)
        client.request("GET", url)
        client.request("GET", url)
    assert b"cookie" not in requests[1].lower()


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serving(http_answer(b"direct")) as (url, _):
        assert HttpClient(HERE).request("GET", url).body == b"direct"


def test_a_gzipped_answer_is_decoded() -> None:
    with serving(http_answer(gzip.compress(b"x" * 1000), Content_Encoding="gzip")) as (url, _):
        assert HttpClient(HERE).request("GET", url).body == b"x" * 1000


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"a" * 2001, {}),
        (gzip.compress(os.urandom(2001)), {"Content_Encoding": "gzip"}),
        (gzip.compress(bytes(50_000_000)), {"Content_Encoding": "gzip"}),
    ],
    ids=["plain", "gzip", "bomb"],
)
def test_a_body_beyond_the_limit_is_given_up(body: bytes, headers: dict[str, str]) -> None:
    assert failure_of(http_answer(body, **headers), max_bytes=2000).code == "body_too_large"


def test_a_body_blown_up_a_hundredfold_is_given_up() -> None:
    bomb = http_answer(gzip.compress(bytes(10_000_000)), Content_Encoding="gzip")
    assert failure_of(bomb).code == "body_too_large"


def test_an_endless_chunked_answer_is_given_up() -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"1000\r\n" + b"a" * 4096 + b"\r\n")

    assert failure_of(endless, max_bytes=100_000).code == "body_too_large"


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(gzip.compress(b"x" * 1000)[:-9], "gzip"), (b"no gzip", "gzip"), (b"x", "br"), (b"x", "gzip, gzip")],
    ids=["cut", "not gzip", "brotli", "twice"],  # bytes that hold the time of day would differ between processes
)
def test_an_answer_that_cannot_be_decoded_may_be_better_next_time(body: bytes, encoding: str) -> None:
    failure = failure_of(http_answer(body, Content_Encoding=encoding))
    assert isinstance(failure, RetryableSourceError)
    assert failure.code == "bad_answer"


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _cut_off(connection: socket.socket) -> None:
    connection.sendall(http_answer(b"x" * 100)[:-50])


def _no_http(connection: socket.socket) -> None:
    connection.sendall(b"220 smtp ready\r\n")


@pytest.mark.parametrize("answer", [_reset, _cut_off, _no_http, b""])
def test_a_broken_connection_is_retryable(answer: Any) -> None:
    failure = failure_of(answer)
    assert isinstance(failure, RetryableSourceError)
    assert failure.code == "connection_failed"


def test_nobody_listening_is_retryable() -> None:
    with serving(b"") as (url, _):
        pass
    with pytest.raises(RetryableSourceError) as failure:
        HttpClient(HERE).request("GET", url)
    assert failure.value.code == "connection_failed"


def _drip(text: bytes) -> Any:
    def drip(connection: socket.socket) -> None:
        for byte in text:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)

    return drip


def test_silence_is_a_time_out() -> None:
    assert failure_of(lambda connection: connection.recv(1) and None, read=0.1).code == "timeout"


@pytest.mark.parametrize("dripped", [http_answer(b"", X_Long="a" * 10_000), http_answer(b"x" * 10_000)])
def test_bytes_that_come_one_by_one_do_not_outlast_the_call(dripped: bytes) -> None:
    assert failure_of(_drip(dripped), read=1.0, total=0.2).code == "timeout"


def _certificate(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    plain = serialization.NoEncryption()
    pkcs8 = serialization.PrivateFormat.PKCS8
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, pkcs8, plain)
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_a_certificate_nobody_vouches_for_ends_the_job(tmp_path: Path) -> None:
    context = _certificate(tmp_path)
    names: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)

    def handshake(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, pytest.raises(ssl.SSLError):
            context.wrap_socket(connection, server_side=True)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=handshake, args=(listener,))
        thread.start()
        with pytest.raises(FatalSourceError) as failure:
            HttpClient(["localhost"]).request("GET", f"https://localhost:{listener.getsockname()[1]}/")
        thread.join()
    assert failure.value.code == "tls_failed"
    assert names == ["localhost"]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "-7"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "1000000000"}, LONGEST_RETRY_AFTER),
        ({"retry-after": "Sat, 21 Nov 2026 10:01:00 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 60),
        ({"retry-after": "Sat, 21 Nov 2026 09:00:00 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 0),
        ({"retry-after": "Sat, 21 Nov 2099 09:00:00 GMT"}, LONGEST_RETRY_AFTER),
    ],
)
def test_retry_after_is_understood_within_reason(headers: dict[str, str], seconds: float | None) -> None:
    assert HttpAnswer(429, headers, b"").retry_after() == seconds


def test_a_client_can_be_closed_twice() -> None:
    client = HttpClient(HERE)
    client.close()
    client.close()
