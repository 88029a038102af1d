"""Feeds from addresses: fetched once, unpacked within bounds, and never mixed with what came later."""

import gzip
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from syncjobs.connectors.feed import opening
from syncjobs.connectors.feed.options import check_options
from syncjobs.connectors.feed.snapshots import remove_unused
from syncjobs.connectors.registry import Credentials
from syncjobs.engine.contracts import BatchSpec, Connector, Scope
from syncjobs.engine.errors import EngineError, FatalSourceError, RetryableSourceError
from tests.connectors.alibaba1688.support import serving
from tests.connectors.cases import MAPPING, FixedCredentials, feed_from, record

FULL = Scope(type="full", batch_size=4)
ALLOWED = ("127.0.0.1",)


def ndjson(count: int, first: int = 0) -> bytes:
    lines = (json.dumps(record(number), ensure_ascii=False) for number in range(first, first + count))
    return "".join(f"{line}\n" for line in lines).encode()


class Server:
    """One file at an address; `seen` are the headers of the requests for it."""

    def __init__(self) -> None:
        self.url = ""
        self.status, self.body, self.headers = 200, ndjson(10), {"ETag": '"1"'}
        self.length: int | None = None
        self.seen: list[dict[str, str]] = []

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """As the attributes say; 304 to who knows the ETag."""
        self.seen.append({name.lower(): value for name, value in request.headers.items()})
        known = self.headers.get("ETag", "") and request.headers.get("If-None-Match") == self.headers["ETag"]
        request.send_response(304 if known else self.status)
        for name, value in self.headers.items():
            request.send_header(name, value)
        if not known:
            request.send_header("Content-Length", str(len(self.body) if self.length is None else self.length))
        request.end_headers()
        if not known:
            request.wfile.write(self.body)


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.answer(self)

        def log_message(self, *_: Any) -> None: ...

    with _running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        served.url = f"http://127.0.0.1:{port}/feeds/offers.ndjson"
        yield served


@contextmanager
def _running(server: ThreadingHTTPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def connect(server: Server, tmp_path: Path) -> Callable[..., Connector]:
    def connected(*, options: dict[str, Any] | None = None, **surroundings: Any) -> Connector:
        chosen = {"url": server.url, "mapping": MAPPING} | (options or {})
        known = {"cache_folder": str(tmp_path / "kept"), "allowed_hosts": ALLOWED}
        return feed_from(chosen, **(known | surroundings))

    return connected


def fetched(connector: Connector, specs: list[BatchSpec]) -> list[str | None]:
    return [raw.source_id for spec in specs for page in connector.fetch(spec) for raw in page.records]


def specs_of(connector: Connector, scope: Scope = FULL) -> list[BatchSpec]:
    return list(connector.plan(scope).batches)


def failure_of(connector: Connector) -> EngineError:
    with pytest.raises(EngineError) as error:
        connector.plan(FULL)
    return error.value


Connect = Callable[..., Connector]


def test_all_batches_read_what_was_fetched_once(server: Server, connect: Connect) -> None:
    plan = connect().plan(FULL)
    specs = list(plan.batches)
    assert (plan.provable, plan.total, len(specs)) == (True, 10, 3)
    server.body = ndjson(10, first=50)
    assert fetched(connect(), specs) == [record(number)["id"] for number in range(10)]
    assert len(server.seen) == 1


def test_a_worker_without_the_snapshot_fetches_the_same_or_stops(
    server: Server, connect: Connect, tmp_path: Path
) -> None:
    specs = specs_of(connect())
    elsewhere = connect(cache_folder=str(tmp_path / "other"))
    assert fetched(elsewhere, specs) == [record(number)["id"] for number in range(10)]
    assert len(server.seen) == 2
    assert "if-none-match" not in server.seen[1]
    server.body, server.headers = ndjson(10, first=50), {"ETag": '"2"'}
    remove_unused(tmp_path / "kept", -1)
    with pytest.raises(FatalSourceError) as error:
        fetched(connect(), specs)
    assert error.value.code == "feed_changed"
    assert "anew" in error.value.suggestion


def test_of_many_who_lack_the_snapshot_one_fetches_it(server: Server, connect: Connect, tmp_path: Path) -> None:
    (spec,) = specs_of(connect(), Scope(type="full"))
    remove_unused(tmp_path / "kept", -1)
    with ThreadPoolExecutor(6) as workers:
        found = list(workers.map(lambda _: fetched(connect(), [spec]), range(6)))
    assert found == [[record(number)["id"] for number in range(10)]] * 6
    assert len(server.seen) == 2


def test_an_unchanged_feed_is_an_empty_incremental_walk(server: Server, connect: Connect) -> None:
    specs_of(connect())
    since = datetime.now(UTC)
    plan = connect().plan(Scope(type="incremental", since=since))
    assert (list(plan.batches), plan.total, plan.provable) == ([], 0, False)
    assert server.seen[1]["if-none-match"] == '"1"'
    server.headers = {}
    assert not specs_of(connect(), Scope(type="incremental", since=since))
    server.body = ndjson(11)
    (spec, *_) = specs_of(connect(), Scope(type="incremental", since=since))
    assert spec.params["total"] == spec.expected


def test_a_feed_of_this_very_second_is_asked_for_whole(server: Server, connect: Connect) -> None:
    for age, asked in ((0, False), (3600, True)):
        server.headers = {"Last-Modified": formatdate(time.time() - age, usegmt=True)}
        specs_of(connect())
        specs_of(connect())
        assert ("if-modified-since" in server.seen[-1]) is asked


def test_what_no_walk_has_begun_with_is_read(server: Server, connect: Connect) -> None:
    before = datetime(2025, 9, 1, tzinfo=UTC)
    specs_of(connect())
    assert len(fetched(connect(), specs_of(connect(), Scope(type="incremental", since=before)))) == 10
    assert len(fetched(connect(), specs_of(connect()))) == 10
    other = {"mapping": {"id": "id", "title": "title"}}
    assert len(fetched(connect(options=other), specs_of(connect(options=other)))) == 10


def test_a_full_walk_over_an_unchanged_feed_is_provable_without_fetching_it(server: Server, connect: Connect) -> None:
    specs_of(connect())
    plan = connect().plan(FULL)
    assert (plan.provable, plan.total) == (True, 10)
    assert [headers.get("if-none-match") for headers in server.seen] == [None, '"1"']


def test_without_its_snapshot_a_feed_is_asked_for_whole(server: Server, connect: Connect, tmp_path: Path) -> None:
    specs_of(connect())
    for snapshot in (tmp_path / "kept").glob("*.feed"):
        snapshot.unlink()
    assert len(fetched(connect(), specs_of(connect()))) == 10
    assert "if-none-match" not in server.seen[1]


@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "gzip"}])
@pytest.mark.parametrize("times", [1, 2])
def test_packed_feeds_are_unpacked(server: Server, connect: Connect, headers: dict[str, str], times: int) -> None:
    server.headers = headers
    server.body = gzip.compress(ndjson(4)) + gzip.compress(ndjson(6, first=4))
    if times == 2 and headers:
        server.body = gzip.compress(server.body)
    assert fetched(connect(), specs_of(connect())) == [record(number)["id"] for number in range(10)]


def test_the_same_content_packed_otherwise_is_the_same(server: Server, connect: Connect, tmp_path: Path) -> None:
    server.body, server.headers = gzip.compress(ndjson(10), mtime=1), {}
    specs = specs_of(connect())
    remove_unused(tmp_path / "kept", -1)
    server.body = gzip.compress(ndjson(10), 1, mtime=2)
    assert len(fetched(connect(), specs)) == 10


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_feeds_from_addresses_may_be_in_another_encoding(server: Server, connect: Connect, encoding: str) -> None:
    server.body = ndjson(10).decode().encode(encoding)
    assert len(fetched(connect(), specs_of(connect()))) == 10


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (ndjson(200), {}),
        (gzip.compress(ndjson(200)), {}),
        (gzip.compress(ndjson(200)), {"Content-Encoding": "gzip"}),
        (gzip.compress(gzip.compress(b"0" * 50_000_000)), {"Content-Encoding": "gzip"}),
    ],
)
def test_what_is_too_large_unpacked_is_refused_for_good(
    server: Server, connect: Connect, tmp_path: Path, body: bytes, headers: dict[str, str]
) -> None:
    server.body, server.headers = body, headers
    error = failure_of(connect(download_bytes=20_000))
    assert (type(error), error.code) == (FatalSourceError, "feed_too_large")
    assert not list((tmp_path / "kept").glob("*"))


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (302, FatalSourceError, "feed_moved"),
        (304, FatalSourceError, "feed_refused"),
        (401, FatalSourceError, "feed_forbidden"),
        (404, FatalSourceError, "feed_missing"),
        (418, FatalSourceError, "feed_refused"),
        (429, RetryableSourceError, "server_error"),
        (503, RetryableSourceError, "server_error"),
    ],
)
def test_what_an_address_answers_is_told_without_its_secrets(
    server: Server, connect: Connect, status: int, kind: type[EngineError], code: str
) -> None:
    server.status, server.headers = status, {"Location": "http://127.0.0.1:1/", "Retry-After": "7"}
    error = failure_of(connect(options={"url": f"{server.url}?token=hidden"}))
    assert (type(error), error.code) == (kind, code)
    assert "hidden" not in error.message
    assert getattr(error, "retry_after", 7.0) == 7.0


def test_what_breaks_off_is_tried_again(server: Server, connect: Connect, tmp_path: Path) -> None:
    server.length = len(server.body) + 10
    assert failure_of(connect()).code == "connection_failed"
    server.length, server.body = None, gzip.compress(ndjson(10))[:-9]
    assert failure_of(connect()).code == "bad_answer"
    assert not list((tmp_path / "kept").glob("*.feed"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a.ndjson"
        assert failure_of(connect(options={"url": url}, download_seconds=0.2)).code == "timeout"
    assert failure_of(connect(options={"url": url})).code == "connection_failed"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/a", "https://10.0.0.1/a", "http://example.com/a", "file:///etc/passwd"]
)
def test_private_and_plain_addresses_are_refused_when_stored_and_when_called(connect: Connect, url: str) -> None:
    options = {"url": url, "mapping": MAPPING}
    with pytest.raises(FatalSourceError) as stored:
        check_options(options, frozenset())
    called = failure_of(connect(options=options, allowed_hosts=()))
    assert {stored.value.code, called.code} <= {"url_refused", "address_refused"}


@pytest.mark.parametrize("options", [{}, {"path": "/a", "url": "https://example.com/a"}])
def test_a_feed_has_a_path_or_an_address(options: dict[str, Any]) -> None:
    with pytest.raises(FatalSourceError) as error:
        check_options({"mapping": MAPPING, **options}, frozenset())
    assert error.value.code == "invalid_options"


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        (Credentials(), None),
        (Credentials(access_token="t0k3n"), "Bearer t0k3n"),
        (Credentials(app_key="me", app_secret="pw"), "Basic bWU6cHc="),
    ],
)
def test_the_secrets_of_the_source_are_sent(
    server: Server, connect: Connect, stored: Credentials, sent: str | None
) -> None:
    specs_of(connect(credentials=FixedCredentials(stored)))
    assert server.seen[0].get("authorization") == sent


def test_a_check_looks_at_the_beginning_and_keeps_nothing(
    server: Server, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "SAMPLE_BYTES", 100_000)
    report = connect().check()
    assert report.ok
    assert report.checks[2].message == f"ndjson, {len(server.body)} bytes, utf-8 (found out)"
    server.body = ndjson(9000).decode().encode("gb18030")
    report = connect().check()
    assert report.ok
    assert f"{len(server.body)} bytes on the way, gb18030" in report.checks[2].message
    assert "100 of the first 100 records" in report.checks[3].message
    assert not (tmp_path / "kept").exists()
    server.status = 503
    assert connect().check().checks[-1].code == "server_error"


def test_who_cannot_wait_for_a_feed_that_comes_is_told_so(server: Server, connect: Connect) -> None:
    def dribble(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + ndjson(10))
        connection.recv(65536)
        connection.recv(65536)

    with serving(dribble) as (url, _):
        assert failure_of(connect(options={"url": url}, patience=0.5)).code == "uncounted"
        assert failure_of(connect(options={"url": url}, download_seconds=0.5)).code == "timeout"


def test_a_state_that_cannot_be_read_is_none(server: Server, connect: Connect, tmp_path: Path) -> None:
    specs_of(connect())
    (state,) = (tmp_path / "kept").glob("*.state")
    state.write_bytes(b"{")
    assert len(specs_of(connect())) == 3
    assert msgspec.json.decode(state.read_bytes())["etag"] == '"1"'


def test_an_endless_bomb_does_not_fill_the_memory(server: Server, connect: Connect) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    server.body = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(300)) + packer.flush()
    assert failure_of(connect()).code == "feed_too_large"
