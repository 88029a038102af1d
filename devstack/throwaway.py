"""Servers for as long as this process lives: what tests use, and measurements of which only the figures are kept."""

import atexit
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from devstack.demo.keys import KEYS
from devstack.postgres import EmbeddedPostgres
from devstack.redis import EmbeddedRedis


def start_servers(prefix: str, settings: Mapping[str, str]) -> dict[str, str]:
    """Start a PostgreSQL and a Redis that are stopped and removed when this process ends.

    Args:
        prefix: how the name of their folder begins.
        settings: of PostgreSQL.

    Returns:
        The environment in which the project uses them, with keys that were never used before.
    """
    home = Path(tempfile.mkdtemp(prefix=prefix))
    home.chmod(0o755)
    postgres = EmbeddedPostgres(home / "pg", dict(settings))
    redis = EmbeddedRedis(home / "redis", persistent=False)
    # At the exit of the process, whatever fails before: nothing must be left behind.
    atexit.register(_stop, home, postgres, redis)
    made = {name: make() for name, make in KEYS.items()}
    return {"DATABASE_URL": postgres.start(), "REDIS_URL": redis.start(), **made}


def _stop(home: Path, *servers: EmbeddedPostgres | EmbeddedRedis) -> None:
    for server in servers:
        server.stop()
    shutil.rmtree(home)
