"""Redis clients of this process: one pool a purpose, short timeouts, made anew after a fork."""

import os
from functools import cache
from typing import Literal

import redis
from django.conf import settings

Purpose = Literal["cache", "live"]


def redis_client(purpose: Purpose) -> "redis.Redis":
    """The client of the cache database (limits, tokens, stamps) or of the live-status database.

    Calls wait at most REDIS_SOCKET_TIMEOUT_SECONDS and raise `redis.exceptions.RedisError`; answers are bytes.
    """
    return _client(purpose, os.getpid())


@cache
def _client(purpose: Purpose, _pid: int) -> "redis.Redis":
    urls = {"cache": settings.REDIS_CACHE_URL, "live": settings.REDIS_LIVE_URL}
    return redis.Redis.from_url(
        urls[purpose],
        socket_timeout=settings.REDIS_SOCKET_TIMEOUT_SECONDS,
        socket_connect_timeout=settings.REDIS_SOCKET_TIMEOUT_SECONDS,
        socket_keepalive=True,
        health_check_interval=25,
    )


def key(*parts: object) -> str:
    """A key of ours: the parts joined by colons behind REDIS_KEY_PREFIX, so that installations can share a server."""
    return settings.REDIS_KEY_PREFIX + ":".join(map(str, parts))
