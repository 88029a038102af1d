"""One listener per process: takes live events from Redis once and offers them to every socket that watches.

Measured with 1,000 sockets on one process: a channel layer's group send does 4 to 7 events a second, this hub 80 and
more, because a frame is encoded once and nobody but the hub talks to Redis.
"""

import asyncio
import contextlib
import logging
import random
import socket
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from websockets.frames import Frame, Opcode

from syncjobs.live import SCRIPT, Troubles, channel, script_arguments
from syncjobs.snapshots import in_database
from system.api.renderers import dumps

logger = logging.getLogger(__name__)

SUBSCRIBE_SECONDS = 2
COMMAND_SECONDS = 2
FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 0.1, 2.0
TICK_SECONDS = 1
# A worker's last progress may overtake the end of its job; the snapshot after it is the last word.
AFTER_FINISH_SECONDS = 2
# The kernel notices a vanished Redis server within half a minute; an idle link is never cut by a time-out.
KEEPALIVE = {socket.TCP_KEEPIDLE: 15, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3}


class Event(NamedTuple):
    """A numbered message, ready to send; `frame` has it as it stands on the wire, made once for all sockets."""

    seq: int
    text: str
    frame: bytes

    @classmethod
    def of(cls, seq: int, text: str) -> "Event":
        """Encode a message."""
        return cls(seq, text, Frame(Opcode.TEXT, text.encode()).serialize(mask=False))

    @classmethod
    def parse(cls, message: str) -> "Event":
        """Read the form in which Redis keeps and carries events: the number, a blank, the frame."""
        seq, _, text = message.partition(" ")
        return cls.of(int(seq), text)


class Watcher(Protocol):
    """Somebody who follows a stream. Neither method may wait."""

    def offer(self, event: Event) -> None:
        """Take the next event."""
        ...

    def refresh(self) -> None:
        """Show a new snapshot after the events offered so far: some may be missing."""
        ...


class Stream:
    """The watchers of one stream in this process, and the snapshot they share."""

    def __init__(self, name: str, load: Callable[[], Any], newest: Callable[["Stream"], Any]) -> None:
        self.name = name
        self.watchers: set[Watcher] = set()
        self.seq: int | None = None
        self._load = load
        self._newest = newest
        self._running: asyncio.Task[Event] | None = None
        self._next: asyncio.Task[Event] | None = None
        self.refresh_at = 0.0

    def take(self, event: Event) -> None:
        """Offer an event to all watchers; a hole in the numbers makes them refresh."""
        hole = self.seq is not None and event.seq != self.seq + 1
        self.seq = event.seq
        for watcher in self.watchers:
            watcher.offer(event)
        if hole:
            self.refresh()
        if event.text.startswith('{"type":"finished"'):
            asyncio.get_running_loop().call_later(AFTER_FINISH_SECONDS, self.refresh)

    def refresh(self) -> None:
        """Make all watchers show the database's state."""
        self.refresh_at = asyncio.get_running_loop().time() + settings.WS_SNAPSHOT_SECONDS
        for watcher in self.watchers:
            watcher.refresh()

    async def snapshot(self) -> Event:
        """The state as of now or later. One load runs at a time; all who ask meanwhile share the one after it.

        Raises:
            django.db.Error: the database does not answer.
            SyncJob.DoesNotExist: the stream's job was deleted.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._load_after(self._running))
        return await asyncio.shield(self._next)

    async def _load_after(self, running: "asyncio.Task[Event] | None") -> Event:
        if running:
            await asyncio.wait([running])
        self._running, self._next = self._next, None
        # The number first: what happens in between is then sent again rather than missed.
        seq: int = await self._newest(self)
        data = await in_database(self._load)
        return Event.of(seq, dumps({"type": "snapshot", "seq": seq, "data": data}).decode())


class Hub:
    """Subscribes to all streams when the first watcher comes and stays until `stop`."""

    def __init__(self) -> None:
        self._streams: dict[str, Stream] = {}
        self._subscribed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._troubles = Troubles()

    async def join(self, name: str, watcher: Watcher, load: Callable[[], Any]) -> Stream:
        """Follow a stream. Events are offered from now on; `load` reads its state from the database.

        Waits a moment for the subscription, so that nothing is missed between a snapshot and the first event. Without
        Redis the watcher lives on snapshots.
        """
        self._start()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SUBSCRIBE_SECONDS):
                await self._subscribed.wait()
        stream = self._streams.setdefault(name, Stream(name, load, self._newest))
        stream.refresh_at = stream.refresh_at or asyncio.get_running_loop().time() + settings.WS_SNAPSHOT_SECONDS
        stream.watchers.add(watcher)
        return stream

    def leave(self, stream: Stream, watcher: Watcher) -> None:
        """Stop following; safe to call twice."""
        stream.watchers.discard(watcher)
        if not stream.watchers:
            self._streams.pop(stream.name, None)

    async def since(self, stream: Stream, seq: int) -> list[Event] | None:
        """The events after number `seq`; None when they are not all kept any more or the number is unknown."""
        try:
            kept = await self._command("since", stream.name, seq)
        except (RedisError, OSError) as error:
            self._troubles.note(error)
            return None
        return None if kept is None else [Event.parse(item) for item in kept]

    async def stop(self) -> None:
        """End listening; a later `join` starts again."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if tasks:
            await self._client.aclose()

    def _start(self) -> None:
        if self._tasks:
            return
        self._client = redis.asyncio.Redis.from_url(
            settings.REDIS_LIVE_URL,
            decode_responses=True,
            socket_timeout=COMMAND_SECONDS,
            socket_connect_timeout=COMMAND_SECONDS,
            retry=Retry(NoBackoff(), 1),
        )
        self._script = self._client.register_script(SCRIPT)
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._tick())]

    async def _listen(self) -> None:
        delay = FIRST_DELAY_SECONDS
        while True:
            try:
                async with _listening_client() as client, client.pubsub() as subscription:
                    await subscription.psubscribe(channel("*"))
                    async for message in subscription.listen():
                        delay = FIRST_DELAY_SECONDS
                        self._route(message)
            except (RedisError, OSError) as error:
                self._troubles.note(error)
            self._subscribed.clear()
            # Not all processes at once.
            await asyncio.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311 (no secret)
            delay = min(delay * 2, LONGEST_DELAY_SECONDS)

    def _route(self, message: dict[str, Any]) -> None:
        if message["type"] == "psubscribe":
            self._subscribed.set()
            for stream in self._streams.values():
                # While the link was down events were lost without a trace.
                stream.seq = None
                stream.refresh()
        elif message["type"] == "pmessage":
            stream_or_none = self._streams.get(message["channel"].removeprefix(channel("")))
            if stream_or_none:
                stream_or_none.take(Event.parse(message["data"]))

    async def _tick(self) -> None:
        """Send progress that was held back, and refresh streams that are due."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = asyncio.get_running_loop().time()
            for stream in self._streams.values():
                if now >= stream.refresh_at:
                    stream.refresh()
            if self._streams and self._subscribed.is_set():
                await self._flush()

    async def _flush(self) -> None:
        try:
            await self._command("flush")
        except (RedisError, OSError) as error:
            self._troubles.note(error)

    async def _newest(self, stream: Stream) -> int:
        try:
            return int(await self._command("seq", stream.name))
        except (RedisError, OSError) as error:
            self._troubles.note(error)
            return stream.seq or 0

    async def _command(self, command: str, *operands: str | int) -> Any:
        return await self._script(args=script_arguments(command, *operands))


def _listening_client() -> "redis.asyncio.Redis":
    url: str = settings.REDIS_LIVE_URL
    alive: dict[str, Any] = {"socket_keepalive": True, "socket_keepalive_options": KEEPALIVE}
    return redis.asyncio.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=None,
        socket_connect_timeout=COMMAND_SECONDS,
        retry=Retry(NoBackoff(), 0),
        **({} if url.startswith("unix") else alive),
    )


hub = Hub()
