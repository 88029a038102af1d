"""Redis gone or frozen: reads go on without limits and without false figures, sign-in is refused, nobody waits long."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import redis
from pytest_django import Settings

from accounts.models import User
from devstack.redis import EmbeddedRedis
from system import redis as clients
from system.api.throttling.limiter import PAUSE_SECONDS, _asked
from tests.api.limits.conftest import Limits
from tests.client import ApiClient
from tests.conftest import PASSWORD, eventually

LOGIN = {"username": "plain", "password": PASSWORD}


@pytest.fixture
def own_redis(tmp_path: Path, settings: Settings, limits: Limits) -> Iterator[EmbeddedRedis]:
    """A Redis that only this test's limits use, and that may be stopped."""
    server = EmbeddedRedis(tmp_path / "redis", persistent=False)
    settings.REDIS_CACHE_URL = server.start()
    settings.REDIS_LIMITS_TIMEOUT_SECONDS = 0.25
    clients._client.cache_clear()
    yield server
    server.stop()
    clients._client.cache_clear()


@pytest.fixture
def stopped(own_redis: EmbeddedRedis) -> EmbeddedRedis:
    own_redis.stop()
    return own_redis


@pytest.fixture
def frozen(own_redis: EmbeddedRedis) -> Iterator[int]:
    """A Redis that takes connections and says nothing."""
    pid = process_of(own_redis)
    os.kill(pid, signal.SIGSTOP)
    yield pid
    os.kill(pid, signal.SIGCONT)


def process_of(server: EmbeddedRedis) -> int:
    with redis.Redis.from_url(server.url) as client:
        info: Any = client.info("server")
    return int(info["process_id"])


@pytest.mark.usefixtures("stopped")
def test_reads_pass_and_no_figure_is_made_up(plain_user: User) -> None:
    client = ApiClient().as_(plain_user)
    client.get("auth/profile")
    assert client.last.headers["X-RateLimit-Limit"] == "100"
    assert client.last.headers["RateLimit-Policy"] == '"user";q=100;w=3600'
    assert not {"X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit"} & set(client.last.headers)


@pytest.mark.usefixtures("stopped")
def test_signing_in_is_refused_before_the_password_is_looked_at(
    api: ApiClient, plain_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.services.login", None)
    for _ in range(2):
        assert api.post("auth/login", LOGIN, expect=503)["code"] == "E00013"
        assert int(api.last.headers["Retry-After"]) >= PAUSE_SECONDS


@pytest.mark.usefixtures("stopped")
def test_so_is_guessing_the_old_password(plain_user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = ApiClient().as_(plain_user)
    monkeypatch.setattr("accounts.services.change_own_password", None)
    client.post("auth/password", {"current_password": "guess", "new_password": "correct horse 1688"}, expect=503)


@pytest.mark.usefixtures("stopped")
def test_it_is_said_once_in_a_while_and_not_for_each_request(
    plain_user: User, caplog: pytest.LogCaptureFixture
) -> None:
    client = ApiClient().as_(plain_user)
    for _ in range(10):
        client.get("auth/profile")
    assert [record.name for record in caplog.records].count("system.api.throttling.limiter") == 1


@pytest.mark.usefixtures("frozen")
def test_a_frozen_redis_holds_up_one_request_and_not_the_next(
    plain_user: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("system.api.throttling.limiter.monotonic", lambda: now[0])
    asks = Mock(wraps=_asked)
    monkeypatch.setattr("system.api.throttling.limiter._asked", asks)
    client = ApiClient().as_(plain_user)
    started = time.monotonic()
    client.get("auth/profile")
    assert time.monotonic() - started >= settings.REDIS_LIMITS_TIMEOUT_SECONDS
    for _ in range(5):
        client.get("auth/profile")
    assert asks.call_count == 1
    now[0] += PAUSE_SECONDS
    client.get("auth/profile")
    assert asks.call_count == 2


def test_the_limits_are_back_soon_after_redis_is(plain_user: User, frozen: int) -> None:
    client = ApiClient().as_(plain_user)
    client.get("auth/profile")
    os.kill(frozen, signal.SIGCONT)

    def told() -> bool:
        client.get("auth/profile")
        return "X-RateLimit-Remaining" in client.last.headers

    eventually(told)
