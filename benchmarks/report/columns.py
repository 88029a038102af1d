"""The columns of the tables: a heading, and a cell for a line and the line it is compared with."""

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.results import Summary

Cell = Callable[[Summary, Summary | None], str]
PARTS = ("web", "PostgreSQL", "Redis", "driver")


class Column(NamedTuple):
    """A heading and what stands below it."""

    heading: str
    cell: Cell


def number(value: float) -> str:
    """Few digits, whatever the size."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio(line: Summary, base: Summary | None) -> str:
    """How many times the base's rate."""
    if base is None or base.failed or not base.rate:
        return ""
    return f"× {line.rate / base.rate:.2f}" if line.rate < base.rate else f"× {line.rate / base.rate:.1f}"


def cpu_ms(line: Summary, part: str) -> float | None:
    """CPU milliseconds a request of a part; a median count and a median time give a fair mean."""
    took, done = line.cpu.get(part), line.facts.get("requests", 0)
    return took * 1000 / done if took is not None and done else None


def _cpu(line: Summary, _base: Summary | None) -> str:
    parts = [cpu_ms(line, part) for part in PARTS]
    return " / ".join("–" if part is None else f"{part:.2f}" for part in parts) if line.cpu else ""


def _fact(name: str, digits: int = 1) -> Cell:
    return lambda line, _base: f"{line.facts[name]:,.{digits}f}" if name in line.facts else ""


def _statuses(line: Summary, _base: Summary | None) -> str:
    return ", ".join(f"{status}: {count:,}" for status, count in sorted(line.statuses.items()) if count)


COLUMNS: dict[str, Column] = {
    "rate": Column("requests/s", lambda line, _: number(line.rate)),
    "products": Column("products/s", lambda line, _: number(line.rate)),
    "events": Column("events/s", lambda line, _: number(line.rate)),
    "ratio": Column("ratio", ratio),
    "p50": Column("p50 ms", lambda line, _: number(line.p50_ms)),
    "p99": Column("p99 ms", lambda line, _: number(line.p99_ms)),
    "errors": Column("errors", lambda line, _: f"{line.errors:,}"),
    "statuses": Column("answers by status", _statuses),
    "memory": Column("memory MB", lambda line, _: number(line.memory_mb) if line.memory_mb else "–"),
    "cpu": Column("CPU ms a request: web / PostgreSQL / Redis / driver", _cpu),
    "count": Column("products", _fact("products", 0)),
    "answer": Column("KB an answer", _fact("answer_kb")),
    "timeouts": Column("without an answer in 30 s", _fact("timeouts", 0)),
    "connections": Column("PostgreSQL connections, most", _fact("database_connections", 0)),
    "health": Column("`/health` slowest, ms", _fact("health_max_ms", 0)),
    "wal": Column("WAL bytes a product", _fact("wal_bytes", 0)),
    "engine": Column("CPU µs a product: workers", _fact("worker_us", 0)),
    "server": Column("CPU µs a product: PostgreSQL", _fact("database_us", 0)),
    "synced": Column("products synced a second meanwhile", _fact("synced", 0)),
    "sockets": Column("sockets", _fact("sockets", 0)),
    "start": Column("seconds to the first answer", _fact("start_seconds", 2)),
    "start_cpu": Column("CPU seconds", _fact("start_cpu", 2)),
    "arrived": Column("frames arrived, %", _fact("arrived_percent", 2)),
}
