"""A whole installation of its own: PostgreSQL, Redis, gateway, web server, workers, and a bell in place of beat."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import redis
from celery import Celery
from django.conf import settings
from kombu.exceptions import OperationalError as BrokerAway

from devstack import processes
from devstack.demo import keys
from devstack.gateway.client import GatewayClient, running_gateway
from devstack.postgres import EmbeddedPostgres
from devstack.pytest_plugin import NO_LIMITS
from devstack.redis import EmbeddedRedis
from tests.conftest import HANG_SECONDS, eventually
from tests.faults.caller import Caller
from tests.faults.failpoints import Plan
from tests.faults.figures import SCALE
from tests.faults.processes import Process

LEASE_SECONDS = 4
BELL_SECONDS = 1.0
# A crash of the machine is not among the faults, one of the server is: what was committed must be there.
DATABASE_SETTINGS = {"fsync": "off"}
TIMING = {
    "SYNC_LEASE_SECONDS": str(LEASE_SECONDS),
    "SYNC_SLICE_SECONDS": "3",
    "TASK_RING_AGAIN_SECONDS": "3",
    "DATABASE_LOCK_TIMEOUT_MS": "30000",
}
# What differs from run to run, whatever happens.
VOLATILE = frozenset({"id", "category_id", "shop_id", "product_id", "version", "synced_at", "created_at", "updated_at"})
KEPT_TABLES = ["syncjobs_source", "syncjobs_webhook", "products_category", "products_shop", "products_shopfollow"]


class SuddenPostgres(EmbeddedPostgres):
    """`stop` is an immediate shutdown: no checkpoint, every connection cut."""

    farewell = signal.SIGQUIT


class Stack:
    """Everything running; made by `running_stack`."""

    def __init__(self, home: Path, gateway: GatewayClient, workers: int) -> None:
        self.home, self.gateway = home, gateway
        self.postgres = SuddenPostgres(home / "pg", DATABASE_SETTINGS)
        self.redis = EmbeddedRedis(home / "redis")
        (home / "faults").mkdir()
        self.faults = Plan(home / "faults")
        self._secrets, self.passwords = keys.load(home / "secrets", {})
        self._worker_count = workers
        self.workers: list[Process] = []
        self.port = processes.free_port()
        self.api = Caller(f"http://127.0.0.1:{self.port}/api/v1", self.passwords)
        self._over = threading.Event()

    def start(self, cleanup: ExitStack) -> None:
        """Start one part after the other; `cleanup` ends them."""
        for server in (self.redis, self.postgres):
            server.start()
            cleanup.callback(server.stop)
        self._fill()
        serve = ["-m", "config.serve", "--port", str(self.port)]
        self.web = self._process("web", serve, cleanup)
        worker = [
            "-m", "celery", "-A", "tests.faults.app", "worker", "-Q", "critical,default,low", "-c", "2",
            "--without-gossip", "--without-mingle", "--loglevel=INFO", "-n",
        ]  # fmt: skip
        names = [f"worker{number}" for number in range(self._worker_count)]
        # With two workers, one clock is ten minutes before the other; the database's lies between them.
        clocks = ("300", "-300") if len(names) > 1 else ("0",)
        self.workers = [
            self._process(name, [*worker, f"{name}@%h"], cleanup, FAULT_CLOCK_SECONDS=clock)
            for name, clock in zip(names, clocks, strict=True)
        ]
        bell = threading.Thread(target=self._ring, name="bell", daemon=True)
        bell.start()
        cleanup.callback(bell.join)
        cleanup.callback(self._over.set)
        cleanup.callback(self.api.close)
        eventually(self.api.alive)
        self.api.sign_in()

    @property
    def environment(self) -> dict[str, str]:
        """What every process of the stack is started with."""
        places = {
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            "FAULTS_FOLDER": str(self.home / "faults"),
            "OUTBOUND_ALLOWED_HOSTS": "127.0.0.1",
            "ALLOWED_HOSTS": "127.0.0.1",
            "IGNORE_ENV_FILES": "1",
        }
        return {**os.environ, **NO_LIMITS, **TIMING, **self._secrets, **places}

    def _process(self, name: str, arguments: list[str], cleanup: ExitStack, **extra: str) -> Process:
        process = Process(arguments, {**self.environment, **extra}, self.home / f"{name}.log")
        process.start()
        cleanup.callback(process.kill)
        return process

    def _fill(self) -> None:
        names = ("url", "app_key", "app_secret", "access_token", "refresh_token")
        gateway = {name: getattr(self.gateway, name) for name in names}
        orders = {"passwords": self.passwords, "source": "demo", "gateway": gateway, "calls_per_second": 500.0}
        environment = {**self.environment, "DJANGO_SETTINGS_MODULE": "config.settings"}
        command = [sys.executable, "-m", "devstack.demo.data"]
        subprocess.run(command, input=msgspec.json.encode(orders), env=environment, check=True)

    def _ring(self) -> None:
        """Beat's most important bell, rung more often; and the process manager, which every installation has."""
        bell = Celery(broker=self.redis.url, set_as_current=False)
        bell.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
        bell.conf.task_publish_retry = False
        with closing(bell):
            while not self._over.wait(BELL_SECONDS):
                for process in (self.web, *self.workers):
                    process.revive()
                with suppress(BrokerAway, redis.exceptions.RedisError):
                    bell.send_task("system.sweep", queue="critical", expires=BELL_SECONDS * 5)

    def flush_redis(self) -> None:
        """FLUSHALL."""
        with redis.Redis.from_url(self.redis.url) as client:
            client.flushall()

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the database, beside the project; waits while it is away."""
        return eventually(lambda: [self._rows(statement, values)])[0]

    def _rows(self, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        try:
            with psycopg.connect(self.postgres.url, autocommit=True, connect_timeout=3) as connection:
                cursor = connection.execute(statement, values)
                return list(cursor.fetchall()) if cursor.description else []
        except (psycopg.OperationalError, FileNotFoundError):
            time.sleep(0.2)
            return self._rows(statement, values)

    def forget(self, products: int = 0) -> None:
        """Empty the catalogue and the record of runs; `products` resets the gateway too."""
        eventually(lambda: not self.rows("SELECT 1 FROM system_task WHERE state = 'running' LIMIT 1"))
        found = self.rows(
            "SELECT tablename FROM pg_tables WHERE tablename ~ '^(syncjobs|products)_' AND tablename <> ALL (%s)",
            KEPT_TABLES,
        )
        self.rows(f"TRUNCATE system_task, {', '.join(name for (name,) in found)}")
        if products:
            self.gateway.control("reset", products=products)

    def catalogue(self) -> list[tuple[Any, ...]]:
        """All products and their SKUs, row by row, less what differs from run to run."""
        tables = {"products_product": "p.source_id", "products_sku": "p.source_id, t.source_sku_id"}
        found: list[tuple[Any, ...]] = []
        for table, order in tables.items():
            columns = self.rows(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY 1", table
            )
            kept = ", ".join(f"t.{name}" for (name,) in columns if name not in VOLATILE)
            key = "t.id" if table == "products_product" else "t.product_id"
            found += self.rows(
                f"SELECT {order}, {kept} FROM {table} t JOIN products_product p ON p.id = {key} ORDER BY {order}"  # noqa: S608 - constants only
            )
        return found

    def job(self, task_id: str) -> dict[str, Any]:
        """A job's state and counters, from the database."""
        names = "state, processed, total, created, updated, unchanged, rejected, delisted, held, error"
        (row,) = self.rows(f"SELECT {names} FROM syncjobs_syncjob WHERE task_id = %s", task_id)  # noqa: S608
        return dict(zip(names.split(", "), row, strict=True))

    def ended(self, task_id: str, hang_seconds: float = HANG_SECONDS * SCALE) -> dict[str, Any]:
        """Wait until a job rests."""
        eventually(lambda: self.job(task_id)["state"] not in ("pending", "running", "stopping"), hang_seconds)
        return self.job(task_id)

    def start_sync(self, **body: Any) -> str:
        """Start a full sync in batches of 20; returns its task id."""
        wanted = {"type": "full", "config": {"batch_size": 20, "max_workers": 4}, **body}
        return str(self.api.call("POST", "sync/start", wanted)["task_id"])

    def quiet_run(self, products: int) -> list[tuple[Any, ...]]:
        """What the catalogue is when nothing goes wrong; forgotten again."""
        self.forget(products)
        job = self.ended(self.start_sync())
        assert (job["state"], job["created"]) == ("succeeded", products)
        expected = self.catalogue()
        self.forget()
        return expected


@contextmanager
def running_stack(products: int = 300, workers: int = 1) -> Iterator[Stack]:
    """Start a stack, and end it."""
    with ExitStack() as cleanup:
        home = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="s1688-faults-")))
        home.chmod(0o755)
        gateway = cleanup.enter_context(running_gateway(products=products, seed=7))
        stack = Stack(home, gateway, workers)
        stack.start(cleanup)
        yield stack
