"""PostgreSQL and Redis of the benchmark, and databases in them: private, on loopback, stopped with us."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import psycopg

from benchmarks.world import products as made_up
from benchmarks.world.facts import WorldFacts
from devstack.demo import keys
from devstack.demo.stack import PATIENT_DATABASE, PROJECT, PROJECT_ENVIRONMENT
from devstack.postgres import THROWAWAY_SETTINGS, EmbeddedPostgres
from devstack.redis import EmbeddedRedis

# Counted request by request like any other, and never used up.
COUNTED_RATE = "1000000/second"
LONG_TOKENS = {"ACCESS_TOKEN_SECONDS": "86400"}
# The tables without a product: where ingest begins.
EMPTY = "bench_empty"


class Installation:
    """Running servers, and the settings with which the project uses one of their databases.

    Attributes:
        postgres, redis: the servers.
        folder: home of their data, of logs and of whatever a measurement writes.
    """

    def __init__(self, folder: Path, postgres: EmbeddedPostgres, redis: EmbeddedRedis) -> None:
        self.folder = folder
        self.postgres = postgres
        self.redis = redis
        self._keys, _ = keys.load(folder / "secrets", {})

    def environment(self, database: str | None = None) -> dict[str, str]:
        """The whole environment of a process of the project on this database."""
        return {
            **os.environ,
            **PROJECT_ENVIRONMENT,
            "DATABASE_URL": self.database_url(database),
            "REDIS_URL": self.redis.url,
            "ALLOWED_HOSTS": "127.0.0.1",
            "OUTBOUND_ALLOWED_HOSTS": "127.0.0.1",
            "FEED_FOLDERS": str(self.folder),
            "RATE_ENTERPRISE": COUNTED_RATE,
            **LONG_TOKENS,
            **self._keys,
        }

    def database_url(self, database: str | None = None) -> str:
        """The address of a database, by default of the filled one."""
        url = self.postgres.url
        return url if database is None else f"{url.rpartition('/')[0]}/{database}"

    def fresh_database(self, name: str, template: str | None = None) -> str:
        """Make a database anew, empty or as a copy of another one that nobody uses; returns its name."""
        with psycopg.connect(self.database_url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database and whoever is connected to it."""
        with psycopg.connect(self.database_url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def empty_database(self) -> str:
        """The database with tables only; made by the load of the filled one, or now."""
        with psycopg.connect(self.database_url("postgres")) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [EMPTY]).fetchone()
        if not found:
            self.fresh_database(EMPTY)
            self.fill(0, EMPTY)
        return EMPTY

    def fill(self, products: int, database: str | None = None) -> WorldFacts:
        """Migrate a database and load this many products unless they are there.

        The filled one leaves an empty copy of itself on its way.

        Raises:
            RuntimeError: it could not be filled.
        """
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.world.filling"],
            input=msgspec.json.encode({"products": products, "copy": None if database else EMPTY}),
            env={**self.environment(database), **PATIENT_DATABASE},
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"the database could not be filled (exit code {done.returncode})")
        return msgspec.json.decode(done.stdout, type=WorldFacts)

    def forget_cached(self) -> None:
        """Empty Redis: what is cached there, limits and live status."""
        import redis

        with redis.Redis.from_url(self.redis.url) as client:
            client.flushall()

    def place(self) -> str:
        """Host and port of the database server, for people."""
        parts = urlsplit(self.postgres.url)
        return f"{parts.hostname}:{parts.port}"


@contextmanager
def installation(folder: Path, products: int, *, throwaway: bool) -> Iterator[Installation]:
    """Start the servers; a database that was filled by another version of the generator is thrown away.

    Args:
        throwaway: nothing is measured, so nothing has to reach the disk.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _throw_away_stale(folder, f"{products} products, version {made_up.VERSION}, {_migrations()}")
    with ExitStack() as running:
        postgres = running.enter_context(EmbeddedPostgres(folder / "pg", THROWAWAY_SETTINGS if throwaway else None))
        redis = running.enter_context(EmbeddedRedis(folder / "redis"))
        yield Installation(folder, postgres, redis)


def _migrations() -> str:
    """A name for the state of the tables: what is derived from products may be filled by a load only."""
    names = sorted(path.as_posix() for path in PROJECT.glob("*/migrations/0*.py"))
    return sha256("\n".join(names).encode()).hexdigest()[:12]


def _throw_away_stale(folder: Path, holds: str) -> None:
    note = folder / "holds"
    if note.exists() and note.read_text() == holds:
        return
    home = folder / "pg.home"
    for old in [folder / "pg", *([Path(home.read_text())] if home.exists() else [])]:
        shutil.rmtree(old, ignore_errors=True)
    home.unlink(missing_ok=True)
    note.write_text(holds)
