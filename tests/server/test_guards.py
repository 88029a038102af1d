"""What stands between the network and the application, without a network: heads, the queue, the answers."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httptools
import pytest
from pytest_django import Settings
from uvicorn.server import ServerState

from config.server import site as sites
from config.server.answers import busy_answer, final_answer
from config.server.exchange import Exchange
from config.server.files import FileWrapper
from config.server.handover import Sender, channel
from config.server.pool import Pool
from config.server.request import Headers, Request
from config.server.site import Site
from system.errors import ErrorCode
from tests.conftest import eventually

HOST = (b"Host", b"a")


def request(headers: Headers = [HOST], url: bytes = b"/api/v1/x", method: str = "POST", body: bytes = b"") -> Request:  # noqa: B006 (never changed)
    """A request as the parser leaves it."""
    made = Request()
    made.method, made.url, made.headers, made.keep_alive = method, url, headers, True
    made.body = body
    made.judge(upgrading=False)
    return made


def fault(headers: Headers = [HOST], url: bytes = b"/api/v1/x") -> ErrorCode | None:  # noqa: B006 (never changed)
    """What the server thinks of a head."""
    made = Request()
    made.method, made.url, made.headers = "POST", url, headers
    return made.judge(upgrading=False)


def test_names_with_an_underscore_never_arrive() -> None:
    environ = request([HOST, (b"x_forwarded_for", b"1.2.3.4"), (b"x-real", b"1")]).environ({})
    assert "HTTP_X_FORWARDED_FOR" not in environ
    assert environ["HTTP_X_REAL"] == "1"


def test_a_header_that_comes_twice_arrives_as_one() -> None:
    environ = request([HOST, (b"X-A", b"1"), (b"x-a", b"2")]).environ({})
    assert environ["HTTP_X_A"] == "1,2"


@pytest.mark.parametrize(
    ("headers", "url", "code"),
    [
        ([HOST], b"/?q=" + b"x" * 8192, ErrorCode.URI_TOO_LONG),
        ([HOST, (b"x-one", b"x" * 33_000)], b"/", ErrorCode.HEADERS_TOO_LARGE),
        ([HOST, *[(b"x-many", b"1")] * 100], b"/", ErrorCode.HEADERS_TOO_LARGE),
        ([HOST, *[(b"x-many", b"1")] * 99], b"/", None),
        ([], b"/", ErrorCode.INVALID_PARAMETER),
        ([HOST, HOST], b"/", ErrorCode.INVALID_PARAMETER),
        ([HOST, (b"Content-Length", b"5242881")], b"/", ErrorCode.PAYLOAD_TOO_LARGE),
        ([HOST, (b"Content-Length", b"5242880")], b"/", None),
    ],
)
def test_heads_are_bounded(headers: Headers, url: bytes, code: ErrorCode | None) -> None:
    assert fault(headers, url) is code


@pytest.mark.parametrize("length", [b"-1", b"1e3", b"", b"9" * 30])
def test_a_malformed_length_is_refused(length: bytes) -> None:
    assert fault([HOST, (b"content-length", length)]) is ErrorCode.INVALID_PARAMETER


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(httptools.HttpParserInvalidURLError):
        fault(url=b"nonsense")


def test_a_chunked_body_arrives_with_its_length() -> None:
    made = request([HOST, (b"transfer-encoding", b"chunked")])
    for piece in (b"ab", b"cd", b"ef"):
        made.add(piece)
    environ = made.environ({})
    assert (environ["CONTENT_LENGTH"], environ["wsgi.input"].read()) == ("6", b"abcdef")
    assert "HTTP_TRANSFER_ENCODING" not in environ


def test_a_path_arrives_as_bytes_and_a_query_as_it_is() -> None:
    environ = request(url=b"/%E6%89%8B/x?q=%E6%89%8B").environ({})
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/手/x"
    assert environ["QUERY_STRING"] == "q=%E6%89%8B"


def test_a_refusal_speaks_the_callers_language_and_keeps_the_request_id(settings: Settings) -> None:
    head, _, body = busy_answer(request([HOST, (b"Accept-Language", b"en"), (b"X-Request-ID", b"abc-1")])).partition(
        b"\r\n\r\n"
    )
    refused = json.loads(body)
    assert (refused["message"], refused["request_id"]) == ("Service unavailable", "abc-1")
    assert b"retry-after: 1" in head
    assert b"connection" not in head


def test_after_a_final_refusal_the_connection_closes() -> None:
    assert b"\r\nconnection: close\r\n" in final_answer(ErrorCode.PAYLOAD_TOO_LARGE, None)


class Caller:
    """A connection that keeps what it is sent; `ended` when that is all."""

    def __init__(self) -> None:
        self.sent = b""
        self.pieces = 0
        self.failed = False
        self.file: FileWrapper | None = None
        self.ended = asyncio.Event()

    def take_piece(self, exchange: Exchange, data: bytes) -> None:  # noqa: ARG002 (a caller's signature)
        self.sent += data
        self.pieces += 1

    def take_end(self, exchange: Exchange, data: bytes, file: FileWrapper | None) -> None:  # noqa: ARG002 (a caller's signature)
        self.sent += data
        self.file = file
        self.ended.set()

    def take_failure(self, exchange: Exchange) -> None:  # noqa: ARG002 (a caller's signature)
        self.failed = True
        self.ended.set()


class Application:
    """Answers with the request's body once it may."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.bodies: list[bytes] = []

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        self.may_answer.wait(60)
        self.bodies.append(environ["wsgi.input"].read())
        start("200 OK", [("X-One", "1")])
        return [self.bodies[-1]]


@pytest.fixture
def make_site(settings: Settings) -> Iterator[Callable[..., Site]]:
    """Make a site with one thread."""
    settings.WEB_THREADS = 1
    ends = channel()

    def make(app: Any, **limits: int) -> Site:
        for name, value in limits.items():
            setattr(settings, name, value)
        return Site(app, ServerState(), Sender(ends[0], lambda: False))

    yield make
    for end in ends:
        end.close()


def exchange(caller: Caller, made: Request) -> Exchange:
    return Exchange(made, {}, caller, asyncio.get_running_loop())


async def test_requests_are_answered_in_their_order_with_their_bodies(make_site: Callable[..., Site]) -> None:
    app, callers = Application(), [Caller() for _ in range(3)]
    here = make_site(app)
    for number, caller in enumerate(callers):
        assert here.submit(exchange(caller, request(body=b"%d" % number)))
    app.may_answer.set()
    for caller in callers:
        await caller.ended.wait()
    assert app.bodies == [b"0", b"1", b"2"]
    assert callers[1].sent.startswith(b"HTTP/1.1 200 OK\r\nX-One: 1\r\nContent-Length: 1\r\nDate: ")
    assert callers[1].sent.endswith(b"\r\n\r\n1")


async def test_who_leaves_while_waiting_never_reaches_the_application(make_site: Callable[..., Site]) -> None:
    app, callers = Application(), [Caller() for _ in range(3)]
    here = make_site(app)
    asked = [exchange(caller, request(body=b"%d" % number)) for number, caller in enumerate(callers)]
    for one in asked:
        here.submit(one)
    here.abandon(asked[1])
    app.may_answer.set()
    await callers[2].ended.wait()
    assert app.bodies == [b"0", b"2"]


async def test_more_than_the_limit_is_told_to_come_back(make_site: Callable[..., Site]) -> None:
    app = Application()
    here = make_site(app, WEB_MAX_IN_FLIGHT=2)
    asked = [exchange(Caller(), request()) for _ in range(3)]
    assert [here.submit(one) for one in asked] == [True, True, False]
    here.abandon(asked[1])
    assert here.submit(exchange(Caller(), request()))
    app.may_answer.set()


async def test_health_is_answered_while_everything_else_waits(make_site: Callable[..., Site]) -> None:
    waiting = threading.Event()

    def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/health":
            waiting.wait(60)
        start("200 OK", [])
        return []

    here, caller = make_site(app), Caller()
    here.submit(exchange(Caller(), request()))
    here.submit(exchange(caller, request(url=b"/health")))
    await caller.ended.wait()
    waiting.set()


async def test_bodies_share_a_limit_and_give_it_back(
    make_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sites, "MAX_BODY_BYTES_TOGETHER", 3)
    here = make_site(Application())
    assert not here.hold(4)
    here.release(b"abcd")
    assert here.hold(3)


async def answered(app: Any, made: Request) -> Caller:
    """What a caller got in the end."""
    caller, pool = Caller(), Pool(app, threads=1, limit=1, name="test")
    pool.submit(exchange(caller, made))
    await caller.ended.wait()
    return caller


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 Not Modified")]
)
async def test_answers_that_have_no_body_get_none(method: str, status: str) -> None:
    def app(_environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        start(status, [])
        return [b"body"]

    assert (await answered(app, request(method=method))).sent.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("headers", [[("Content-Length", "1")], [("X-One", "1\r\nX-Two: 2")]])
async def test_an_answer_that_would_confuse_the_connection_is_a_failure(headers: list[tuple[str, str]]) -> None:
    def app(_environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        start("200 OK", headers)
        return [b"body"]

    assert (await answered(app, request())).failed


class Stream:
    """A streamed answer without end."""

    streaming = True

    def __init__(self) -> None:
        self.made = 0
        self.closed = threading.Event()

    def __iter__(self) -> "Stream":
        return self

    def __next__(self) -> bytes:
        self.made += 1
        return b"piece"

    def close(self) -> None:
        self.closed.set()


async def test_a_stream_waits_for_its_reader_and_ends_with_it(make_site: Callable[..., Site]) -> None:
    stream, caller = Stream(), Caller()

    def app(_environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        start("200 OK", [])
        return stream

    here, asked = make_site(app), exchange(caller, request())
    here.submit(asked)
    while caller.pieces < 4:
        await asyncio.sleep(0.01)
    made = stream.made
    assert b"Transfer-Encoding: chunked" in caller.sent
    assert caller.sent.endswith(b"\r\n5\r\npiece\r\n")
    asked.allow_piece()
    while caller.pieces < 5:
        await asyncio.sleep(0.01)
    assert stream.made == made + 1
    here.abandon(asked)
    await asyncio.to_thread(eventually, stream.closed.is_set)
