"""WebSockets: /ws/v1/sync for all jobs, /ws/v1/sync/{task_id} for one.

Plain ASGI applications rather than Channels consumers, which hold a Redis connection each, hop to a thread for every
frame, call handlers by a name in the message, and cannot end while a send is stuck.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import translation

from syncjobs.hub import Event, Stream, hub
from syncjobs.live import ALL_JOBS, job_stream
from syncjobs.models import SyncJob
from syncjobs.snapshots import in_database, job_id_of, job_snapshot, jobs_snapshot
from syncjobs.ws_auth import Credentials, credentials
from syncjobs.ws_inbound import Fault, Inbox
from system.api.renderers import dumps
from system.asgi import FRAMES, Receive, Scope, Send, WriteFrame, language_of, refusal
from system.errors import ErrorCode

logger = logging.getLogger(__name__)

RECONNECT, SIGNED_OUT, JOB_GONE = 4001, 4401, 4404
WATCH_SECONDS = 5
RETRY_SECONDS = 1
CLOSE_SECONDS = 1


async def all_jobs(scope: Scope, receive: Receive, send: Send) -> None:
    """Every job the user may see: `{"jobs": [...]}` as snapshot, then the events of all jobs."""

    async def everything() -> tuple[str, Callable[[], Any]]:
        return ALL_JOBS, jobs_snapshot

    await _serve(scope, receive, send, everything)


async def one_job(scope: Scope, receive: Receive, send: Send) -> None:
    """One job: its body as snapshot, then its events; 404 when there is none of this id."""
    task_id: str = scope["url_route"]["kwargs"]["task_id"]

    async def job() -> tuple[str, Callable[[], Any]] | None:
        job_id = await in_database(job_id_of, task_id)
        return None if job_id is None else (job_stream(job_id), lambda: job_snapshot(job_id))

    await _serve(scope, receive, send, job)


async def unknown_path(scope: Scope, receive: Receive, send: Send) -> None:
    """Any other address: 404."""
    await receive()
    await _deny(scope, send, ErrorCode.NOT_FOUND)


async def _serve(scope: Scope, receive: Receive, send: Send, find: Callable[[], Any]) -> None:
    await receive()
    offered = credentials(scope)
    try:
        username = await in_database(offered.check) if offered else None
        found = await find() if username else None
    except DatabaseError as error:
        logger.warning("websocket refused, no database: %s", error)
        await _deny(scope, send, ErrorCode.UNAVAILABLE)
        return
    if offered is None or username is None:
        await _deny(scope, send, ErrorCode.FORBIDDEN)
    elif found is None:
        await _deny(scope, send, ErrorCode.NOT_FOUND)
    else:
        await send({"type": "websocket.accept", "subprotocol": offered.subprotocol})
        logger.info("websocket %s opened by %s", scope["path"], username)
        with translation.override(language_of(scope["headers"])):
            write_frame = scope.get("extensions", {}).get(FRAMES, _write_no_frame)
            await Socket(receive, send, write_frame, offered).serve(*found)


async def _deny(scope: Scope, send: Send, code: ErrorCode) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return
    status, headers, body = refusal(code, scope["path"], scope["headers"])
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


def _write_no_frame(_frame: bytes) -> bool:
    """Under a server without our extension."""
    return False


class Socket:
    """One open WebSocket. While its client keeps up, events are written as they come, by the hub's own call.

    Otherwise they wait in a bounded outbox that a writer empties.
    A reader too slow for its outbox loses the whole outbox and gets a snapshot instead: after a hole the frames in
    between are worth nothing. Whoever does not read at all is disconnected after WS_SEND_SECONDS.
    """

    def __init__(self, receive: Receive, send: Send, write_frame: WriteFrame, offered: Credentials) -> None:
        self._receive = receive
        self._send = send
        self._write_frame = write_frame
        self._offered = offered
        self._outbox: deque[Event] = deque()
        self._wake = asyncio.Event()
        # Nothing waits and the writer is in the middle of nothing: what comes may go out at once.
        self._idle = False
        self._snapshot_due = True
        # Events older than the next snapshot cannot be followed: the ones before them are not there.
        self._hole = True
        self._resume: int | None = None
        self._snapshot_seq = 0
        self._sending_since: float | None = None
        self._clock = asyncio.get_running_loop().time

    def offer(self, event: Event) -> None:
        """Queue an event that the last snapshot does not include already."""
        if event.seq <= self._snapshot_seq:
            return
        if self._idle and self._write_frame(event.frame):
            return
        if len(self._outbox) >= settings.WS_OUTBOX_FRAMES:
            self._outbox.clear()
            self._hole = self._snapshot_due = True
        self._outbox.append(event)
        self._rouse()

    def refresh(self) -> None:
        """Send a snapshot after what is queued."""
        self._snapshot_due = True
        self._rouse()

    def _rouse(self) -> None:
        self._idle = False
        self._wake.set()

    async def serve(self, stream_name: str, load: Callable[[], Any]) -> None:
        """Until somebody ends it: show the stream, take the client's messages, keep watch."""
        stream = await hub.join(stream_name, self, load)
        self._wake.set()
        tasks = [asyncio.create_task(work) for work in (self._read(stream), self._write(stream), self._watch())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            code = done.pop().result()
        finally:
            hub.leave(stream, self)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if code:
            await self._close(code)

    async def _close(self, code: int) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._send({"type": "websocket.close", "code": code})

    async def _read(self, stream: Stream) -> int | None:
        inbox, strikes = Inbox(self._clock), 0
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return None
            try:
                self._resume = inbox.take(message)
                self._rouse()
            except Fault as fault:
                strikes += 1
                await self._say(_error_frame(fault))
                if strikes >= settings.WS_STRIKES:
                    logger.info("websocket of %s closed: %s", stream.name, fault.code)
                    return fault.close

    async def _watch(self) -> int | None:
        ends, check_at = self._clock() + settings.WS_MAX_AGE_SECONDS, self._clock() + settings.WS_RECHECK_SECONDS
        while True:
            now = self._clock()
            if self._sending_since is not None and now - self._sending_since > settings.WS_SEND_SECONDS:
                logger.info("websocket dropped: its client does not read")
                return None
            if now >= ends:
                return RECONNECT
            if now >= check_at:
                if not await self._still_welcome():
                    return SIGNED_OUT
                check_at = now + settings.WS_RECHECK_SECONDS
            await asyncio.sleep(max(0.1, min(WATCH_SECONDS, ends - now, check_at - now)))

    async def _still_welcome(self) -> bool:
        try:
            return await in_database(self._offered.check) is not None
        except DatabaseError as error:
            logger.warning("websocket user not checked, no database: %s", error)
            return True

    async def _write(self, stream: Stream) -> int | None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._snapshot_due or self._resume is not None or self._outbox:
                    await self._step(stream)
                self._idle = not self._wake.is_set()
        except SyncJob.DoesNotExist:
            return JOB_GONE
        except OSError:
            return None

    async def _step(self, stream: Stream) -> None:
        if self._snapshot_due:
            await self._show(stream)
        elif self._resume is not None:
            since, self._resume = self._resume, None
            await self._replay(stream, since)
        else:
            await self._transmit(self._outbox.popleft())

    async def _show(self, stream: Stream) -> None:
        self._snapshot_due = False
        try:
            snapshot = await stream.snapshot()
        except DatabaseError as error:
            logger.warning("no snapshot of %s: %s", stream.name, error)
            await asyncio.sleep(RETRY_SECONDS)
            self._snapshot_due = True
            return
        hole, self._hole = self._hole, False
        for event in self._queued_up_to(snapshot.seq):
            if not hole:
                await self._transmit(event)
        self._snapshot_seq = snapshot.seq
        await self._transmit(snapshot)

    async def _replay(self, stream: Stream, since: int) -> None:
        events = await hub.since(stream, since)
        if events is None:
            self._hole = self._snapshot_due = True
            return
        for event in events:
            await self._transmit(event)
        self._queued_up_to(events[-1].seq if events else 0)

    def _queued_up_to(self, seq: int) -> list[Event]:
        """Take the events up to a number out of the outbox."""
        taken = []
        while self._outbox and self._outbox[0].seq <= seq:
            taken.append(self._outbox.popleft())
        return taken

    async def _transmit(self, event: Event) -> None:
        if not self._write_frame(event.frame):
            await self._say(event.text)

    async def _say(self, text: str) -> None:
        self._sending_since = self._clock()
        await self._send({"type": "websocket.send", "text": text})
        self._sending_since = None


def _error_frame(fault: Fault) -> str:
    return dumps({"type": "error", "data": {"code": fault.code, "message": fault.message}}).decode()
