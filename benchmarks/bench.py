"""What every section works with: the installation, the servers it starts, and one way to measure."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from resource import RUSAGE_CHILDREN, getrusage

import httpx

from benchmarks.accounting import cpu_split, tree_memory
from benchmarks.client.driving import drive
from benchmarks.client.load import Load, Outcome
from benchmarks.options import Options
from benchmarks.peers import VARIANTS, Variant
from benchmarks.results import Measurement
from benchmarks.world.facts import WorldFacts
from benchmarks.world.installation import Installation
from devstack import processes
from devstack.demo.stack import PROJECT, tail
from devstack.supervisor import Command

START_PATIENCE_SECONDS = 60
LOOK_SECONDS = 0.05
# A request of one connection: whoever needs longer than this does not answer at all.
ANSWER_SECONDS = 60
MEGABYTE = 2**20
QUICK_CONNECTIONS = 8


@dataclass
class Bench:
    """One run.

    Attributes:
        options, installation, world: what is asked, where it runs, and what is in the filled database.
        keep: called with every measurement.
    """

    options: Options
    installation: Installation
    world: WorldFacts
    keep: Callable[[Measurement], None]
    references: dict[str, bytes] = field(default_factory=dict)
    _ports: int = 0

    @property
    def processes(self) -> int:
        """How many processes each server gets: one a core."""
        return 1 if self.options.quick else len(os.sched_getaffinity(0))

    def variants(self) -> list[Variant]:
        """The servers that take part."""
        wanted, quick = self.options.variants, self.options.quick
        known = [variant for variant in VARIANTS.values() if variant.quick or not quick]
        return [variant for variant in known if not wanted or variant.name in wanted]

    def rounds(self) -> Iterator[tuple[int, list[Variant]]]:
        """The rounds, and the servers in turn, so that no one is always first."""
        variants = self.variants()
        for number in range(self.options.rounds):
            turn = number % len(variants)
            yield number, variants[turn:] + variants[:turn]

    def next_port(self) -> int:
        """A port that no other server of this run had."""
        if not self.options.port:
            return processes.free_port()
        self._ports += 1
        return self.options.port + self._ports

    @contextmanager
    def serving(self, variant: Variant, database: str | None = None) -> Iterator["Site"]:
        """A running server of this kind.

        Raises:
            RuntimeError: it did not start; the message ends with its log.
        """
        if reason := variant.missing():
            raise RuntimeError(reason)
        self.installation.forget_cached()
        port = self.next_port()
        log = self.installation.folder / f"{variant.name}.log"
        log.unlink(missing_ok=True)
        server = Command(
            variant.name,
            variant.command(port, self.processes),
            environment={**self.installation.environment(database), "PROCESS_NAME": "web", **variant.environment},
            log=log,
            folder=PROJECT,
        )
        server.start()
        site = Site(self, variant, port, server)
        try:
            site.wait()
            yield site
        finally:
            site.close()
            server.stop()


class Site:
    """A running server, and how it is asked."""

    def __init__(self, bench: Bench, variant: Variant, port: int, server: Command) -> None:
        self.bench = bench
        self.variant = variant
        self.port = port
        self.server = server
        self.headers = {"Authorization": f"Bearer {bench.world.tokens[variant.tier]}"}
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers=self.headers,
            timeout=ANSWER_SECONDS,
            trust_env=False,
            # A kept connection may be one that the server closed meanwhile.
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def wait(self) -> None:
        """Return when it answers.

        Raises:
            RuntimeError: it ended, or took too long.
        """
        deadline = time.monotonic() + START_PATIENCE_SECONDS
        path = f"/api/v1/products/{self.bench.world.product_ids[0]}" if self.bench.world.product_ids else "/health"
        while time.monotonic() < deadline and self.server.alive():
            try:
                if self.get(path).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(LOOK_SECONDS)
        raise RuntimeError(f"{self.variant.name} does not answer. {tail(self.server.log)}")

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask once."""
        return self._client.get(path, headers=headers)

    def close(self) -> None:
        """Close our side."""
        self._client.close()

    def load(self, paths: list[str], connections: int, *, good: tuple[int, ...] = (200,), **headers: str) -> Load:
        """A load of this run's length."""
        return Load(
            port=self.port,
            paths=paths,
            headers={**self.headers, **headers},
            connections=min(connections, QUICK_CONNECTIONS) if self.bench.options.quick else connections,
            seconds=self.bench.options.seconds,
            good=good,
        )

    def memory_mb(self) -> float:
        """What its processes hold."""
        return tree_memory(self.server.pid or 0) / MEGABYTE

    def measure(self, load: Load, *, section: str, scenario: str, turn: int, every_status: bool = False) -> Measurement:
        """Drive a load and account for it.

        Raises:
            RuntimeError: the driver failed.
        """
        roots = self._roots()
        before, driver_before = cpu_split(roots), _children_seconds()
        outcome = drive(load, every_status=every_status or self.bench.options.quick)
        after = cpu_split(roots)
        cpu = {name: round(after[name] - before[name], 3) for name in roots}
        cpu["driver"] = round(_children_seconds() - driver_before, 3)
        return self._measurement(outcome, load, cpu, section, scenario, turn)

    def _roots(self) -> dict[str, int]:
        installation = self.bench.installation
        pids = {"web": self.server.pid, "PostgreSQL": installation.postgres.pid, "Redis": installation.redis.pid}
        return {name: pid for name, pid in pids.items() if pid}

    def _measurement(
        self, outcome: Outcome, load: Load, cpu: dict[str, float], section: str, scenario: str, turn: int
    ) -> Measurement:
        return Measurement(
            section=section,
            scenario=scenario,
            variant=self.variant.name,
            round=turn,
            # Who says "come back later" has not done what was asked.
            rate=outcome.rate_of(load.good[:1]),
            p50_ms=outcome.p50_ms,
            p99_ms=outcome.p99_ms,
            errors=outcome.errors(load.good),
            count=outcome.requests,
            memory_mb=round(self.memory_mb(), 1),
            cpu=cpu,
            facts={
                "requests": outcome.requests,
                "broken": outcome.broken,
                "timeouts": outcome.timeouts,
                "answer_kb": outcome.bytes / 1024 / outcome.requests if outcome.requests else 0.0,
            },
            statuses=outcome.statuses,
        )


def _children_seconds() -> float:
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
