"""The processes of the demo, the order they start in, and the settings they share."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec

from devstack import processes
from devstack.demo import keys
from devstack.demo.interruption import Interruption
from devstack.demo.options import Complaint, GatewayAccess, Options
from devstack.postgres import EmbeddedPostgres
from devstack.redis import EmbeddedRedis
from devstack.supervisor import Command, Supervisor

PROJECT = Path(__file__).resolve().parents[2]
PRODUCTS = 3000
# The simulated catalogue and a real one are never mixed under one name.
SIMULATED_SOURCE, REAL_SOURCE = "demo", "1688"
# The platform's usual limit for an app, and what the simulator bears easily.
REAL_CALLS_PER_SECOND, SIMULATED_CALLS_PER_SECOND = 10, 500
START_PATIENCE_SECONDS = 60
LOG_TAIL_BYTES = 1500

WORKER = ["worker", "--queues", "critical,default,low"]
CELERY = ["-m", "celery", "-A", "config"]
PROJECT_ENVIRONMENT = {"DJANGO_SETTINGS_MODULE": "config.settings", "IGNORE_ENV_FILES": "1"}
PATIENT_DATABASE = {"DATABASE_STATEMENT_TIMEOUT_MS": "60000", "DATABASE_LOCK_TIMEOUT_MS": "30000"}


class Stack:
    """Starts every part under the supervisor; after `start`, `env_file` says where everything is.

    Args:
        folder: home of data, logs, keys and `env`; owned by this process.
    """

    def __init__(self, options: Options, folder: Path, supervisor: Supervisor, interruption: Interruption) -> None:
        self.options = options
        self.source = REAL_SOURCE if options.gateway else SIMULATED_SOURCE
        self._folder = folder
        self._logs = folder / "log"
        self._supervisor = supervisor
        self._interruption = interruption
        self._keys, self._passwords = keys.load(folder / "secrets", os.environ)
        self._settings: dict[str, str] = {}

    @property
    def passwords(self) -> dict[str, str]:
        """The demo users' passwords by user name."""
        return self._passwords

    def start(self) -> Iterator[str]:
        """Start one part after the other; yields a line for the terminal as each is ready.

        Raises:
            Complaint: a part did not start.
        """
        self._logs.mkdir(mode=0o700, exist_ok=True)
        simulator = None if self.options.gateway else self._start_simulator()
        redis_url = self.options.redis_url or self._start_server(EmbeddedRedis(self._folder / "redis"))
        yield f"Redis       {_place(redis_url)}"
        database_url = self.options.database_url or self._start_server(EmbeddedPostgres(self._folder / "pg"))
        yield f"PostgreSQL  {_place(database_url)}"
        gateway = self.options.gateway or self._simulator_access(str(simulator))
        yield f"1688        {gateway.url}" + (f" (simulator, {PRODUCTS:,} products)" if simulator else "")
        self._settings = self._shared_settings(database_url, redis_url, gateway)
        self._fill_database(gateway)
        yield "Database    migrated; users and source are there"
        self._start_project()
        yield f"Web server  {self.options.base_url}"

    def env_file(self) -> dict[str, str]:
        """What scripts, and `manage.py` in another terminal, need to know."""
        users = {f"{user.upper()}_USERNAME": user for user in keys.USERS}
        passwords = {f"{user.upper()}_PASSWORD": password for user, password in self._passwords.items()}
        return {"BASE_URL": self.options.base_url, **self._settings, **users, **passwords}

    def tick(self) -> None:
        """Let the supervisor look around; for every loop that waits.

        Raises:
            Interrupted: somebody asked the demo to end.
        """
        self._supervisor.tick()
        self._interruption.pause()

    def _start_simulator(self) -> str:
        port = processes.free_port()
        arguments = ["-m", "devstack.gateway", "--port", str(port), "--products", str(PRODUCTS)]
        self._supervisor.start(self._command("gateway", arguments, {}))
        return f"http://127.0.0.1:{port}"

    def _simulator_access(self, url: str) -> GatewayAccess:
        state = self._wait_for(f"{url}/_control/state", "gateway").json()
        names = ("app_key", "app_secret", "access_token", "refresh_token", "message_url")
        return GatewayAccess(url=url, **{name: state[name] for name in names})

    def _start_server(self, server: EmbeddedPostgres | EmbeddedRedis) -> str:
        try:
            self._supervisor.start(server)
        except (RuntimeError, OSError) as error:
            raise Complaint(f"{server.name} did not start: {error}") from error
        self._interruption.check()
        return server.url

    def _shared_settings(self, database_url: str, redis_url: str, gateway: GatewayAccess) -> dict[str, str]:
        port = self.options.port
        callable_hosts = {"127.0.0.1", urlsplit(gateway.url).hostname or ""}
        return {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "GATEWAY_URL": gateway.url,
            "ALLOWED_HOSTS": "127.0.0.1,localhost,[::1]",
            "WS_ALLOWED_ORIGINS": f"http://127.0.0.1:{port},http://localhost:{port}",
            "OUTBOUND_ALLOWED_HOSTS": ",".join(sorted(callable_hosts)),
            **self._keys,
        }

    def _fill_database(self, gateway: GatewayAccess) -> None:
        rate = REAL_CALLS_PER_SECOND if self.options.gateway else SIMULATED_CALLS_PER_SECOND
        orders = {"passwords": self._passwords, "source": self.source, "gateway": gateway, "calls_per_second": rate}
        filling = self._command(
            "data", ["-m", "devstack.demo.data"], PATIENT_DATABASE, given=msgspec.json.encode(orders)
        )
        filling.start()
        try:
            while filling.alive():
                self.tick()
            if filling.exit_code():
                raise Complaint(f"The database could not be filled. {tail(filling.log)}")
        finally:
            filling.stop()

    def _start_project(self) -> None:
        cores = str(len(os.sched_getaffinity(0)))
        serve = ["-m", "config.serve", "--host", "127.0.0.1", "--port", str(self.options.port), "--processes", cores]
        worker = {**PATIENT_DATABASE, "PROCESS_NAME": "worker"}
        beat = {**PATIENT_DATABASE, "PROCESS_NAME": "beat"}
        self._supervisor.start(self._command("web", serve, {"PROCESS_NAME": "web"}))
        self._supervisor.start(self._command("worker", [*CELERY, *WORKER, "--concurrency", cores], worker))
        self._supervisor.start(self._command("beat", [*CELERY, "beat"], beat))
        if not self.options.gateway:
            listen = {**PATIENT_DATABASE, "PROCESS_NAME": "listen"}
            self._supervisor.start(self._command("listen", ["manage.py", "listen"], listen))
        self._wait_for(f"{self.options.base_url}/health", "web")

    def _command(self, name: str, arguments: list[str], extra: dict[str, str], given: bytes = b"") -> Command:
        log = self._logs / f"{name}.log"
        log.unlink(missing_ok=True)
        environment = {**os.environ, **PROJECT_ENVIRONMENT, **self._settings, **extra}
        arguments = [sys.executable, *arguments]
        return Command(name, arguments, environment=environment, log=log, folder=PROJECT, given=given)

    def _wait_for(self, url: str, name: str) -> httpx.Response:
        deadline = time.monotonic() + START_PATIENCE_SECONDS
        while time.monotonic() < deadline:
            self.tick()
            try:
                answer = httpx.get(url, timeout=5, trust_env=False)
            except httpx.TransportError:
                continue
            if answer.is_success:
                return answer
        raise Complaint(f"{name} does not answer. {tail(self._logs / f'{name}.log')}")


def tail(log: Path) -> str:
    """A log's name and its last lines, to put under a complaint."""
    text = log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace").strip() if log.exists() else ""
    return f"Its log {log} ends with:\n{text}"


def _place(url: str) -> str:
    """A URL without its password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}:{parts.port or ''}{parts.path}"
