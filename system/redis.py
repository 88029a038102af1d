"""Redis clients of this process: one pool a purpose, short timeouts, made anew after a fork."""

import os
from functools import cache
from typing import Any, Literal

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

Purpose = Literal["cache", "limits", "live"]


def redis_client(purpose: Purpose) -> "redis.Redis":
    """The client of the cache database (tokens, stamps), for rate limits in it, or of the live-status database.

    Calls wait at most REDIS_SOCKET_TIMEOUT_SECONDS and raise `redis.exceptions.RedisError`; answers are bytes. Every
    request waits for the limits, so their client gives up after REDIS_LIMITS_TIMEOUT_SECONDS, and never tries twice: a
    request would be counted twice.
    """
    return _client(purpose, os.getpid())


@cache
def _client(purpose: Purpose, _pid: int) -> "redis.Redis":
    urls = {"cache": settings.REDIS_CACHE_URL, "limits": settings.REDIS_CACHE_URL, "live": settings.REDIS_LIVE_URL}
    patience: dict[str, Any] = {
        "socket_timeout": settings.REDIS_SOCKET_TIMEOUT_SECONDS,
        "socket_connect_timeout": settings.REDIS_SOCKET_TIMEOUT_SECONDS,
        "health_check_interval": 25,
    }
    if purpose == "limits":
        patience = {
            "socket_timeout": settings.REDIS_LIMITS_TIMEOUT_SECONDS,
            "socket_connect_timeout": settings.REDIS_LIMITS_TIMEOUT_SECONDS,
            "retry": Retry(NoBackoff(), 0),
        }
    return redis.Redis.from_url(urls[purpose], socket_keepalive=True, **patience)


def key(*parts: object) -> str:
    """A key of ours: the parts joined by colons behind REDIS_KEY_PREFIX, so that installations can share a server."""
    return settings.REDIS_KEY_PREFIX + ":".join(map(str, parts))
