"""The guards alone: what reaches the application behind them, and what does not."""

import asyncio
import json
from typing import Any

import pytest
from pytest_django import Settings

from system.asgi import BodyGuard, HeadGuard, LoadGuard, Message, Receive, Scope, Send, WaitingRoom

Pairs = list[tuple[bytes, bytes]]


class Application:
    """Answers 200 and remembers what it was asked."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        self.bodies.append((await receive()).get("body", b""))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def request(headers: Pairs = [], query: bytes = b"", path: str = "/api/v1/x") -> Scope:  # noqa: B006 (never changed)
    """A request as servers hand it over."""
    raw = {"raw_path": path.encode(), "query_string": query, "headers": headers}
    return {"type": "http", "method": "POST", "path": path, **raw}


def part(body: bytes, *, more: bool = False) -> Message:
    """A piece of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


GONE: Message = {"type": "http.disconnect"}


async def answer(guard: Any, scope: Scope, *messages: Message) -> tuple[int, bytes]:
    """Status and body of the answer; (0, b"") for none."""
    incoming, sent = [*messages] or [part(b"")], []

    async def receive() -> Message:
        return incoming.pop(0) if incoming else GONE

    async def send(message: Message) -> None:
        sent.append(message)

    await guard(scope, receive, send)
    return sent[0]["status"] if sent else 0, b"".join(message.get("body", b"") for message in sent)


async def test_names_with_an_underscore_never_arrive() -> None:
    application = Application()
    await answer(HeadGuard(application), request([(b"x_forwarded_for", b"1.2.3.4"), (b"x-real", b"1")]))
    assert application.scopes[0]["headers"] == [(b"x-real", b"1")]


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        (request(query=b"q=" + b"x" * 8192), 414),
        (request(path="/" + "x" * 8192), 414),
        (request([(b"x-one", b"x" * 33_000)]), 431),
        (request([(b"x-many", b"1")] * 101), 431),
        (request([(b"x-many", b"1")] * 100), 200),
    ],
)
async def test_heads_are_bounded(scope: Scope, status: int) -> None:
    assert (await answer(HeadGuard(Application()), scope))[0] == status


async def test_a_chunked_body_arrives_whole_and_with_its_length() -> None:
    application = Application()
    scope = request([(b"transfer-encoding", b"chunked")])
    assert (await answer(BodyGuard(application), scope, part(b"ab", more=True), part(b"cd")))[0] == 200
    assert application.bodies == [b"abcd"]
    assert application.scopes[0]["headers"] == [(b"content-length", b"4")]


async def test_half_a_body_never_arrives() -> None:
    application = Application()
    scope = request([(b"content-length", b"4")])
    assert (await answer(BodyGuard(application), scope, part(b"ab", more=True), GONE))[0] == 0
    assert (await answer(BodyGuard(application), scope, part(b"ab")))[0] == 400
    assert application.bodies == []


@pytest.mark.parametrize("headers", [[(b"content-length", b"5242881")], [(b"transfer-encoding", b"chunked")]])
async def test_too_large_a_body_never_arrives(headers: Pairs) -> None:
    application = Application()
    half = part(b"x" * 2_621_441, more=True)
    status, body = await answer(BodyGuard(application), request(headers), half, half, part(b""))
    assert (status, json.loads(body)["error"]["code"]) == (413, "E00014")
    assert application.bodies == []


@pytest.mark.parametrize("length", [b"-1", b"1e3", b"", b"9" * 30])
async def test_a_malformed_length_is_refused(length: bytes) -> None:
    assert (await answer(BodyGuard(Application()), request([(b"content-length", length)])))[0] == 400


async def test_bodies_share_a_limit_and_give_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("system.asgi.MAX_BODY_BYTES_TOGETHER", 3)
    guard = BodyGuard(Application())
    assert (await answer(guard, request([(b"content-length", b"4")]), part(b"abcd")))[0] == 503
    for _ in range(2):
        assert (await answer(guard, request([(b"content-length", b"3")]), part(b"abc")))[0] == 200


async def test_more_than_the_limit_is_told_to_come_back() -> None:
    inner: list[tuple[int, bytes]] = []

    async def nested(scope: Scope, receive: Receive, send: Send) -> None:
        inner.append(await answer(guard, scope))
        await Application()(scope, receive, send)

    guard = LoadGuard(nested, limit=1)
    for _ in range(2):
        assert (await answer(guard, request()))[0] == 200
    assert [status for status, _ in inner] == [503, 503]
    assert json.loads(inner[0][1])["error"]["code"] == "E00013"


async def test_a_refusal_speaks_the_callers_language_and_keeps_the_request_id(settings: Settings) -> None:
    headers = [(b"accept-language", b"en"), (b"x-request-id", b"abc-1")]
    body = json.loads((await answer(LoadGuard(Application(), limit=0), request(headers)))[1])
    assert (body["message"], body["request_id"]) == ("Service unavailable", "abc-1")


class Slow(Application):
    """Answers when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.may_answer.wait()
        await super().__call__(scope, receive, send)


class Client:
    """Sends a body, and leaves when told to."""

    def __init__(self, body: bytes) -> None:
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.messages.put_nowait(part(body))
        self.statuses: list[int] = []

    def leave(self) -> None:
        self.messages.put_nowait({"type": "http.disconnect"})

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.statuses.append(message["status"])

    async def ask(self, room: WaitingRoom) -> None:
        await room(request(), self.messages.get, self.send)


async def test_who_waits_for_a_place_is_served_with_the_whole_body_afterwards() -> None:
    application = Slow()
    room, clients = WaitingRoom(application, places=1), [Client(b"one"), Client(b"two"), Client(b"three")]
    asking = [asyncio.create_task(client.ask(room)) for client in clients]
    await asyncio.sleep(0)
    application.may_answer.set()
    await asyncio.gather(*asking)
    assert application.bodies == [b"one", b"two", b"three"]
    assert [client.statuses for client in clients] == [[200]] * 3


async def test_who_leaves_while_waiting_never_reaches_the_application() -> None:
    application = Slow()
    room, clients = WaitingRoom(application, places=1), [Client(b"one"), Client(b"gone"), Client(b"three")]
    asking = [asyncio.create_task(client.ask(room)) for client in clients]
    await asyncio.sleep(0)
    clients[1].leave()
    await asking[1]
    application.may_answer.set()
    await asyncio.gather(*asking)
    assert application.bodies == [b"one", b"three"]


async def test_a_request_cancelled_while_waiting_gives_its_place_to_the_next() -> None:
    application = Slow()
    room, clients = WaitingRoom(application, places=1), [Client(b"one"), Client(b"cut"), Client(b"three")]
    asking = [asyncio.create_task(client.ask(room)) for client in clients]
    await asyncio.sleep(0)
    asking[1].cancel()
    application.may_answer.set()
    await asyncio.gather(*asking, return_exceptions=True)
    assert application.bodies == [b"one", b"three"]


@pytest.mark.parametrize(("hosts", "status"), [((b"a",), 200), ((), 400), ((b"a", b"a"), 400)])
async def test_a_request_names_one_host(hosts: tuple[bytes, ...], status: int) -> None:
    scope = {**request([(b"host", host) for host in hosts]), "http_version": "1.1"}
    assert (await answer(HeadGuard(Application()), scope))[0] == status
