"""The embedded servers, over what happens to servers."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from devstack.postgres import EmbeddedPostgres
from devstack.redis import EmbeddedRedis


@pytest.fixture
def postgres(open_folder: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(open_folder / "pg") as server:
        yield server


@pytest.fixture
def cache(open_folder: Path) -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis(open_folder / "redis") as server:
        yield server


def test_a_killed_postgresql_comes_back_at_the_same_address_with_its_data(postgres: EmbeddedPostgres) -> None:
    address = postgres.url
    with psycopg.connect(address) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    assert postgres._process
    postgres._process.kill()
    postgres._process.wait()
    postgres.stop()
    postgres.start()
    assert postgres.url == address
    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


def test_two_processes_cannot_own_one_postgresql(postgres: EmbeddedPostgres, open_folder: Path) -> None:
    with pytest.raises(BlockingIOError):
        EmbeddedPostgres(open_folder / "pg").start()
    assert postgres.alive()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands PostgreSQL to another user")
def test_a_folder_closed_to_others_is_replaced_by_one_that_stays(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with EmbeddedPostgres(tmp_path / "pg") as server, psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    with EmbeddedPostgres(tmp_path / "pg") as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
    shutil.rmtree(server.home)


def test_the_data_of_postgresql_is_private(postgres: EmbeddedPostgres) -> None:
    assert stat.S_IMODE((postgres.home / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((postgres.home / "password").stat().st_mode) == 0o600


def test_postgresql_refuses_a_wrong_password(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"postgresql://postgres:wrong@127.0.0.1:{postgres.port}/postgres")


def test_a_killed_redis_comes_back_at_the_same_address_with_its_data(cache: EmbeddedRedis) -> None:
    address = cache.url
    with redis.Redis.from_url(address) as client:
        client.set("kept", 7)
    cache.kill()
    cache.start()
    assert cache.url == address
    with redis.Redis.from_url(address) as client:
        assert client.get("kept") == b"7"


def test_redis_refuses_callers_without_the_password(cache: EmbeddedRedis) -> None:
    with redis.Redis(port=cache.port) as client, pytest.raises(redis.exceptions.AuthenticationError):
        client.ping()
