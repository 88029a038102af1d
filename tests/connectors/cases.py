"""The sources that the conformance suite runs every connector over.

A new connector adds one `Case` to `CASES`: `opened(folder, size)` is a context manager around a source with `size`
products, and `faults` are the ways in which that source can misbehave from then on.
"""

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from syncjobs.connectors.registry import ConnectorContext, Credentials, build
from syncjobs.engine.contracts import Connector

MAPPING = {"id": "id", "title": "title", "price": "price", "category": {"id": "cat"}, "updated_at": "updated"}


class Source(NamedTuple):
    """A running source: a connector to it, the ids of all its products, and what a fault needs to get at it."""

    connector: Connector
    ids: frozenset[str]
    handle: Any


class Case(NamedTuple):
    """One kind of source. `faults` are called with `Source.handle`."""

    name: str
    opened: Callable[[Path, int], AbstractContextManager[Source]]
    faults: dict[str, Callable[[Any], None]]


class FixedCredentials:
    """A credential store that holds one set and never refreshes it for nothing."""

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials

    def load(self) -> Credentials:
        return self.credentials

    def refresh(self, stale: Credentials, exchange: Callable[[Credentials], Credentials]) -> Credentials:
        if stale == self.credentials:
            self.credentials = exchange(stale)
        return self.credentials


class OpenGate:
    """A gate without limits."""

    def acquire(self, api: str) -> None: ...

    def slow_down(self, seconds: float) -> None: ...


def feed_connector(path: Path, mapping: dict[str, Any] | None = None, **options: Any) -> Connector:
    """A feed connector over a file."""
    return build(
        "feed",
        ConnectorContext(
            source_name="feed",
            options={"path": str(path), "mapping": mapping or MAPPING, **options},
            credentials=FixedCredentials(Credentials()),
            gate=OpenGate(),
        ),
    )


def record(number: int) -> dict[str, Any]:
    """One record of a feed that `MAPPING` maps."""
    return {
        "id": str(610_000_000_000 + number),
        "title": f'商品 {number}, "新款"\n[限时]',
        "price": f"{number % 90 + 10}.50",
        "cat": 1031922 + number % 3,
        "updated": f"2025-09-{number % 28 + 1:02d} 10:00:00",
    }


def write_ndjson(path: Path, records: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in records), encoding="utf-8")


def write_json(path: Path, records: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps(records, indent=1), encoding="utf-8-sig")


def write_document(path: Path, records: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps({"meta": {"items": [1]}, "data": {"items": records}, "end": []}), encoding="utf-8")


def write_csv(path: Path, records: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(record(0)))
        writer.writeheader()
        writer.writerows(records)


def _feed(name: str, write: Callable[[Path, list[dict[str, Any]]], None], **options: Any) -> Case:
    @contextmanager
    def opened(folder: Path, size: int) -> Iterator[Source]:
        path = folder / name
        records = [record(number) for number in range(size)]
        write(path, records)
        connector = feed_connector(path, **options)
        yield Source(connector, frozenset(each["id"] for each in records), path)
        connector.close()

    return Case(f"feed-{name}", opened, FEED_FAULTS)


def _halve(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _scramble(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 40)


FEED_FAULTS: dict[str, Callable[[Path], None]] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b"") and None,
    "halved": _halve,
    "scrambled": _scramble,
    "html": lambda path: path.write_text("<html><body>登录</body></html>") and None,
    "deep": lambda path: path.write_text("[" * 200_000) and None,
}

CASES = [
    _feed("offers.ndjson", write_ndjson),
    _feed("offers.json", write_json),
    _feed("document.json", write_document, items="data.items"),
    _feed("offers.csv", write_csv),
]
