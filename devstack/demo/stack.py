"""The processes of the demo and the environment they share."""

import os
import subprocess
import sys
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
FOLDER = PROJECT / ".devstack"
PRODUCTS = 3000
# The simulated catalogue and a real one are never mixed under one name.
SIMULATED_SOURCE, REAL_SOURCE = "demo", "1688"
START_PATIENCE_SECONDS = 60
WORKER_PATIENCE_SECONDS = 30
LOG_TAIL_LINES = 15


class Stack:
    """Starts everything in order; `environment` is what the project's processes are given."""

    def __init__(self, options: Options, supervisor: Supervisor, interruption: Interruption) -> None:
        self.options = options
        self.keys = keys.load_keys(FOLDER / "secrets", os.environ)
        self.source = REAL_SOURCE if options.gateway else SIMULATED_SOURCE
        self.environment: dict[str, str] = {}
        self._supervisor = supervisor
        self._interruption = interruption

    def start(self) -> Iterator[str]:
        """Start one part after the other; yields a line for the terminal as each is ready.

        Raises:
            Complaint: a part did not start.
        """
        (FOLDER / "log").mkdir(mode=0o700, exist_ok=True)
        gateway_port = self._start_gateway()
        redis_url = self.options.redis_url or self._start_server(EmbeddedRedis(FOLDER / "redis"))
        yield "Redis       " + _place(redis_url)
        database_url = self.options.database_url or self._start_server(EmbeddedPostgres(FOLDER / "pg"))
        yield "PostgreSQL  " + _place(database_url)
        gateway = self.options.gateway or self._wait_for_gateway(gateway_port)
        yield "1688        " + gateway.url + ("" if self.options.gateway else f" (simulator, {PRODUCTS:,} products)")
        self.environment = self._environment(database_url, redis_url, gateway)
        self._fill_database(gateway)
        yield "Database    migrated; users and source are there"
        self._start_project()
        yield "Web, worker and beat run"

    def env_file(self) -> dict[str, str]:
        """What scripts and `manage.py` in another terminal need to know."""
        ours = {name: self.environment[name] for name in self.environment if name not in os.environ or name in self.keys}
        names = {f"{user.upper()}_USERNAME": user for user in keys.USERS}
        return {**self._addresses(), **names, **self.keys, **ours}

    def wait_for(self, url: str, name: str) -> httpx.Response:
        """Ask until the answer is a good one.

        Raises:
            Complaint: it took too long.
        """
        for _ in self._patience():
            try:
                answer = httpx.get(url, timeout=5)
            except httpx.TransportError:
                continue
            if answer.is_success:
                return answer
        raise Complaint(f"{name} does not answer. {_tail(FOLDER / 'log' / f'{name}.log')}")
