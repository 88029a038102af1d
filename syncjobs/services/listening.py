"""A listener: hears the messages of one source over its WebSocket and asks for those that were missed.

    standby --lock--> connected --message--> committed --> confirmed
       ^                  | broken, database away, lock lost, source changed
       +---- backoff -----+

However many processes listen, one of them does so for a source: the others wait for its advisory lock, which ends with
its holder's connection, however that ends. A message is confirmed after it is committed, so a death in between brings
it again, and its number tells.
"""

import logging
import os
import random
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from syncjobs.connectors.alibaba1688.channel import CHANNEL_URL, MOCK, MessageChannel, Push
from syncjobs.connectors.alibaba1688.connector import Alibaba1688Connector
from syncjobs.connectors.alibaba1688.messages import PushedMessage, read_content
from syncjobs.engine.errors import EngineError
from syncjobs.models import ChangeMessage, MessageListener, Source
from syncjobs.services.messages import keep
from syncjobs.services.sources import SourceCredentials, connect

logger = logging.getLogger(__name__)

# First word of the lock that makes one process the listener of a source.
LISTEN_LOCK = 0x168B
STANDBY_SECONDS = 5.0
# How often the listener shows that it is alive, and looks whether it still may.
PULSE_SECONDS = 10.0
PULL_SECONDS = 180.0
# Nobody is known to have listened before: so far back a first listener asks.
FIRST_LOOK_BACK = timedelta(days=3)
# A message fails some time after it was born, when the platform has pushed it often enough.
LOOK_BACK = timedelta(days=1)
FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 1.0, 60.0
# A connection that held this long was a good one: the next trouble is a new trouble.
STEADY_SECONDS = 60.0
RECEIVE_SECONDS = 1.0

_jitter = random.SystemRandom()


class _NotOurs(Exception):
    """Somebody else listens, or the source is not to be listened to as it was."""


class Listener:
    """Listens to one source until `stop` is set; survives whatever comes. Belongs into a thread of its own."""

    def __init__(self, source_id: int, stop: threading.Event) -> None:
        self._source_id, self._stop = source_id, stop
        self._failures = 0

    def run(self) -> None:
        """Lead or wait; returns when told to stop, or when the source is gone or switched off."""
        try:
            while not self._stop.is_set() and self._turn():
                pass
        finally:
            connection.close()

    def _turn(self) -> bool:
        """One try, to its bitter end, and the rest after it; False when there is nothing to listen to."""
        began = time.monotonic()
        try:
            source = Source.objects.filter(pk=self._source_id, is_enabled=True).first()
            if source is None:
                return False
            with leading(self._source_id) as lead:
                _Session(source, lead, self._stop).serve()
        except _NotOurs:
            self._stop.wait(STANDBY_SECONDS)
        except (DatabaseError, InterfaceError, EngineError) as error:
            self._rest(error, time.monotonic() - began)
        except Exception as error:
            # A listener that ends for a fault of ours would be silence; the next try may go better.
            logger.exception("listener of source %s failed", self._source_id)
            self._rest(error, time.monotonic() - began)
        return True

    def _rest(self, error: Exception, lasted: float) -> None:
        self._failures = 1 if lasted >= STEADY_SECONDS else self._failures + 1
        delay = min(FIRST_DELAY_SECONDS * 2 ** min(self._failures - 1, 10), LONGEST_DELAY_SECONDS)
        code = getattr(error, "code", type(error).__name__)
        logger.warning("listener of source %s: %s (%s), again in %.0f s", self._source_id, error, code, delay)
        connection.close()
        try:
            note(self._source_id, connected_at=None, error=str(code)[:50])
        except (DatabaseError, InterfaceError):
            connection.close()
        self._stop.wait(delay * _jitter.uniform(0.5, 1.0))


@contextmanager
def leading(source_id: int) -> Iterator["Lead"]:
    """Hold the lock of a source's listener.

    Raises:
        _NotOurs: somebody else has it.
    """
    # A connection of its own: Django's may be closed and opened anew, which would give the lock away unseen.
    guard = connection.copy()
    try:
        lead = Lead(guard, source_id)
        lead.check()
        yield lead
    finally:
        guard.close()


class Lead:
    """The lock, and the connection that holds it. Asking again for a lock one has is no harm."""

    def __init__(self, guard: Any, source_id: int) -> None:
        self._guard, self._source_id = guard, source_id

    def check(self) -> None:
        """Raises _NotOurs, or DatabaseError when nobody can tell."""
        with self._guard.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s::int, %s::int)", [LISTEN_LOCK, self._source_id])
            if not cursor.fetchone()[0]:
                raise _NotOurs


def note(source_id: int, **fields: Any) -> None:
    """Write where a listener stands."""
    fields |= {"seen_at": timezone.now(), "process": f"{socket.gethostname()}:{os.getpid()}"[:100]}
    MessageListener.objects.update_or_create(source_id=source_id, defaults=fields)


class _Session:
    """One connection, from CONNECT to whatever ends it."""

    def __init__(self, source: Source, lead: Lead, stop: threading.Event) -> None:
        self._source, self._lead, self._stop = source, lead, stop
        self._pulling: Iterator[int] | None = None
        self._pull_at = self._pulse_at = 0.0

    def serve(self) -> None:
        """Hear and catch up in turns, so that neither waits for the other.

        Raises:
            EngineError: the channel is broken or refused.
            DatabaseError, InterfaceError: nothing can be kept.
            _NotOurs: the source was changed.
        """
        url = str(self._source.options.get("message_url") or CHANNEL_URL)
        credentials = SourceCredentials(self._source.pk).load()
        with (
            closing(MessageChannel(url, credentials, settings.OUTBOUND_ALLOWED_HOSTS)) as channel,
            closing(connect(self._source)) as connector,
        ):
            logger.info("listening to the messages of source %s", self._source.name)
            note(self._source.pk, connected_at=timezone.now(), error="")
            while not self._stop.is_set():
                self._hear(channel)
                self._catch_up(connector)
                self._pulse()
        note(self._source.pk, connected_at=None)

    def _hear(self, channel: MessageChannel) -> None:
        push = channel.receive(0.0 if self._pulling else RECEIVE_SECONDS)
        if push is None:
            return
        began = time.monotonic()
        message = self._read(push)
        if message:
            keep(self._source, [message], ChangeMessage.Channel.WEBSOCKET)
        channel.confirm(push, milliseconds=round((time.monotonic() - began) * 1000))

    def _read(self, push: Push) -> PushedMessage | None:
        """None for a test of the console, and for what is no message: it would never become one by coming again."""
        if push.source == MOCK:
            return None
        try:
            return read_content(push.content)
        except ValueError as error:
            logger.warning("a message of source %s cannot be read: %s", self._source.name, error)
            return None

    def _catch_up(self, connector: Any) -> None:
        """One page of what could not be pushed, while there is any; a new look every few minutes."""
        if self._pulling is None and time.monotonic() >= self._pull_at:
            self._pulling = self._missed(connector)
        if self._pulling is None:
            return
        try:
            if next(self._pulling, None) is None:
                self._rest_from_pulling("")
        except EngineError as error:
            # The channel is there; what was missed waits at the platform.
            logger.warning("missed messages of source %s: %s", self._source.name, error)
            self._rest_from_pulling(error.code)

    def _rest_from_pulling(self, error: str) -> None:
        self._pulling, self._pull_at = None, time.monotonic() + PULL_SECONDS
        note(self._source.pk, error=error)

    def _missed(self, connector: Alibaba1688Connector) -> Iterator[int]:
        failed = connector.failed_messages()
        until = failed.now()
        yield from failed.pull(self._looked_at(until), until, self._keep_pulled)
        note(self._source.pk, pulled_until=until)

    def _looked_at(self, now: datetime) -> datetime:
        known = MessageListener.objects.filter(source_id=self._source.pk).values_list("pulled_until", flat=True).first()
        return known - LOOK_BACK if known else now - FIRST_LOOK_BACK

    def _keep_pulled(self, messages: Sequence[PushedMessage]) -> None:
        keep(self._source, messages, ChangeMessage.Channel.PULL)

    def _pulse(self) -> None:
        if time.monotonic() < self._pulse_at:
            return
        self._pulse_at = time.monotonic() + PULSE_SECONDS
        self._lead.check()
        note(self._source.pk)
        unchanged = {"pk": self._source.pk, "version": self._source.version, "is_enabled": True}
        if not Source.objects.filter(**unchanged).exists():
            raise _NotOurs
