"""Live status, the publishing side: numbered events in Redis for whoever watches. Nothing here can hurt a sync."""

import logging
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

from syncjobs.engine.progress import EventType
from system.api.renderers import dumps
from system.redis import key

logger = logging.getLogger(__name__)

ALL_JOBS = "all"
SCRIPT = Path(__file__).with_suffix(".lua").read_text(encoding="utf-8")
# Connecting and one answer: together below the 200 ms a publisher may lose.
ANSWER_SECONDS = 0.08
# After a failure progress and logs skip Redis this long; the final event always tries.
PAUSE_SECONDS = 2
WARN_EVERY_SECONDS = 60


def job_stream(job_id: int) -> str:
    """The name of one job's stream; `ALL_JOBS` is the other kind."""
    return f"job:{job_id}"


def channel(stream: str) -> str:
    """The Redis channel of a stream; with `*` the pattern of all."""
    return key("live", stream)


def script_arguments(command: str, *operands: str | int | bytes) -> list[str | int | bytes]:
    """The arguments of SCRIPT.

    `publish job_id type data` sends an event or holds back a progress that comes too soon after the last one,
    `flush` sends what was held back and is due, `seq stream` is the number of the newest event,
    `since stream n` the events after number n, or nothing when they are not all kept.
    """
    interval = 1000 // settings.LIVE_PROGRESS_PER_SECOND
    kept = settings.LIVE_HISTORY_EVENTS, settings.LIVE_HISTORY_SECONDS
    return [command, channel(""), *kept, interval, *operands]


def publish(job_id: int, type: EventType, data: Mapping[str, Any]) -> None:
    """Send an event to everybody who watches this job or all jobs. Call it after the commit it reports.

    Progress beyond LIVE_PROGRESS_PER_SECOND of a job, over all workers, is merged: the newest state waits and follows
    when it is due. `finished` always goes out and replaces a waiting progress. Whatever Redis does, this neither
    raises nor takes 200 ms.

    Args:
        job_id: the job's row id.
        type: what kind of event.
        data: the job, or for `log` the line, as selectors show them.

    Raises:
        TypeError: data that has no JSON form.
    """
    if type != "finished" and _troubles.pausing():
        return
    try:
        _script()(args=script_arguments("publish", job_id, type, dumps(data)))
    except RedisError as error:
        _troubles.note(error)


class Troubles:
    """Remembers that Redis does not answer: who publishes pauses, and the log gets one line a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pause_until = self._silent_until = float("-inf")

    def pausing(self) -> bool:
        """Whether the last failure was a moment ago."""
        return self._clock() < self._pause_until

    def note(self, error: Exception) -> None:
        """Pause, and warn unless that was done within the last minute."""
        now = self._clock()
        self._pause_until = now + PAUSE_SECONDS
        if now >= self._silent_until:
            self._silent_until = now + WARN_EVERY_SECONDS
            logger.warning("live status unavailable: %s", error)


_troubles = Troubles()


@cache
def _script() -> Callable[..., Any]:
    client = redis.Redis.from_url(
        settings.REDIS_LIVE_URL,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        # One more try, at once: after a restart of Redis the first call finds a dead connection.
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
    )
    return client.register_script(SCRIPT)
