"""Gives a test run its servers: one PostgreSQL and one Redis a run, handed to every xdist worker by URL."""

import os
import secrets
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from devstack.postgres import THROWAWAY_SETTINGS, EmbeddedPostgres
from devstack.redis import EmbeddedRedis

# Each xdist worker has its own Redis databases: broker, cache, live status, one spare.
REDIS_DATABASES_PER_WORKER = 4

_servers: list[EmbeddedPostgres | EmbeddedRedis] = []


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    """Before Django reads its settings: start the servers, or take our part of those that run."""
    os.environ["IGNORE_ENV_FILES"] = "1"
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        _take_redis_databases(int(worker.removeprefix("gw")) + 1)
    else:
        _start_servers()
    yield


def pytest_unconfigure() -> None:
    """Stop what this process started."""
    while _servers:
        _servers.pop().stop()


def _start_servers() -> None:
    home = Path(tempfile.mkdtemp(prefix="s1688-test-"))
    home.chmod(0o755)
    postgres, redis = EmbeddedPostgres(home / "pg", THROWAWAY_SETTINGS), EmbeddedRedis(home / "redis", persistent=False)
    _servers.extend([postgres, redis])
    os.environ |= {
        "DATABASE_URL": postgres.start(),
        "REDIS_URL": redis.start(),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "JWT_SIGNING_KEY": secrets.token_urlsafe(48),
        "CREDENTIALS_KEYS": Fernet.generate_key().decode(),
        "OUTBOUND_ALLOWED_HOSTS": "127.0.0.1",
        "ALLOWED_HOSTS": "127.0.0.1,localhost,testserver",
    }


def _take_redis_databases(worker: int) -> None:
    server = os.environ["REDIS_URL"].rpartition("/")[0]
    os.environ["REDIS_URL"] = f"{server}/{worker * REDIS_DATABASES_PER_WORKER}"
