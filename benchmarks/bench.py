"""What every section works with: the installation, the servers it starts, and one way to measure."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

import httpx
import msgspec

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
# Who leaves most connections without an answer in the time of a measurement is measured so many times as long.
PATIENCE = 10


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
    references: dict[str, dict[str, Any]] = field(default_factory=dict)
    _ports: int = 0
    _kept: "dict[tuple[str, str | None], Site]" = field(default_factory=dict)
    _running: ExitStack = field(default_factory=ExitStack)

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
    def serving(
        self, variant: Variant, database: str | None = None, world: WorldFacts | None = None
    ) -> Iterator["Site"]:
        """A running server of this kind, on the filled database or on another one, of which `world` tells.

        In a short run it is the one that was started before.

        Raises:
            RuntimeError: it did not start; the message ends with its log.
        """
        key = variant.name, database
        if not self.options.quick:
            with self.starting(variant, database, world) as site:
                yield site
        else:
            if key not in self._kept:
                self._kept[key] = self._running.enter_context(self.starting(variant, database, world))
            yield self._kept[key]

    def close(self) -> None:
        """Stop the servers that were kept."""
        self._running.close()

    @contextmanager
    def starting(
        self, variant: Variant, database: str | None = None, world: WorldFacts | None = None
    ) -> Iterator["Site"]:
        """A server that is started for this, and stopped afterwards.

        Raises:
            RuntimeError: it did not start; the message ends with its log.
        """
        if reason := variant.missing():
            raise RuntimeError(reason)
        self.installation.forget_cached()
        port = self.next_port()
        environment = {**self.installation.environment(database), "PROCESS_NAME": "web", **variant.environment}
        environment |= variant.settings(port, environment)
        variant.prepare(environment)
        log = self.installation.folder / f"{variant.name}.log"
        log.unlink(missing_ok=True)
        server = Command(
            variant.name,
            variant.command(port, self.processes),
            environment=environment,
            log=log,
            folder=PROJECT,
        )
        server.start()
        site = Site(self, variant, port, server, world or self.world)
        try:
            site.wait()
            yield site
        finally:
            site.close()
            server.stop()


class Site:
    """A running server, and how it is asked."""

    def __init__(self, bench: Bench, variant: Variant, port: int, server: Command, world: WorldFacts) -> None:
        self.bench = bench
        self.world = world
        self.variant = variant
        self.port = port
        self.server = server
        self.headers = {"Authorization": f"Bearer {variant.token or world.tokens[variant.tier]}"}
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
        path = f"/api/v1/products/{self.world.product_ids[0]}" if self.world.product_ids else "/health"
        while time.monotonic() < deadline and self.server.alive():
            try:
                if self.get(path).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(LOOK_SECONDS)
        raise RuntimeError(f"{self.variant.name} does not answer. {tail(self.server.log)}")

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask once for a path of ours."""
        return self._client.get(self.variant.path(path), headers=headers)

    def close(self) -> None:
        """Close our side."""
        self._client.close()

    def load(self, paths: list[str], connections: int, *, good: tuple[int, ...] = (200,), **headers: str) -> Load:
        """A load of this run's length, of paths of ours."""
        return Load(
            port=self.port,
            paths=[self.variant.path(path) for path in paths],
            headers={**self.headers, **headers},
            connections=min(connections, QUICK_CONNECTIONS) if self.bench.options.quick else connections,
            seconds=self.bench.options.seconds,
            good=good,
        )

    def memory_mb(self) -> float:
        """What its processes hold."""
        return tree_memory(self.server.pid or 0) / MEGABYTE

    def measure(self, load: Load, *, section: str, scenario: str, turn: int, every_status: bool = False) -> Measurement:
        """Drive a load and account for it; who is too slow to answer most connections once gets more time.

        Raises:
            RuntimeError: the driver failed.
        """
        measured = self._measured(load, section, scenario, turn, every_status=every_status)
        if 2 * measured.count >= load.connections:
            return measured
        # What was asked before is still being worked at.
        self._client.get(load.paths[0])
        longer = msgspec.structs.replace(load, seconds=load.seconds * PATIENCE)
        return self._measured(longer, section, scenario, turn, every_status=True)

    def _measured(self, load: Load, section: str, scenario: str, turn: int, *, every_status: bool) -> Measurement:
        roots = self._roots()
        before, driver_before = cpu_split(roots), _children_seconds()
        outcome = drive(load, every_status=every_status, here=self.bench.options.quick and not every_status)
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
            p95_ms=outcome.p95_ms,
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
            failed=why_no_number(outcome, load),
        )


def why_no_number(outcome: Outcome, load: Load) -> str:
    """Why there is no number where nothing was answered as it should be, else ""."""
    if outcome.rate_of(load.good[:1]):
        return ""
    told = ", ".join(f"{count} times {status}" for status, count in sorted(outcome.statuses.items()) if count)
    return f"answered {told or 'nothing'} in {load.seconds:g} s over {load.connections:,} connections"


def _children_seconds() -> float:
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
