"""The sources that the conformance suite runs every connector over.

A new connector adds one `Case` to `CASES`: `opened(folder, size)` is a context manager around a source with `size`
products, and `faults` are the ways in which that source can misbehave from then on.
"""

import csv
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from devstack.gateway.catalogue import Catalogue
from devstack.gateway.client import GatewayClient, running_gateway
from devstack.gateway.wheel import PUBLISHED
from syncjobs.connectors.registry import ConnectorContext, Credentials, build
from syncjobs.engine.contracts import Connector

OpenedCase = Callable[[Path, int], AbstractContextManager["Source"]]
MAPPING = {"id": "id", "title": "title", "price": "price", "category": {"id": "cat"}, "updated_at": "updated"}


class Source(NamedTuple):
    """A running source: a connector to it, the ids of all its products, and what a fault needs to get at it."""

    connector: Connector
    ids: frozenset[str]
    handle: Any


class Case(NamedTuple):
    """One kind of source. `faults` are called with `Source.handle`."""

    name: str
    opened: OpenedCase
    faults: dict[str, Callable[[Any], object]]


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

    def refused(self, api: str, *, used_up: bool = False) -> None: ...


def feed_connector(path: Path, mapping: dict[str, Any] | None = None, **options: Any) -> Connector:
    """A feed connector over a file."""
    return feed_from({"path": str(path), "mapping": mapping or MAPPING, **options})


def feed_from(options: dict[str, Any], **surroundings: Any) -> Connector:
    """A feed connector with exactly these options; its snapshots lie beside the file."""
    folder = str(Path(str(options.get("path") or "/nowhere")[:200]).parent / "snapshots").replace("\0", "")
    known = {"source_name": "feed", "credentials": FixedCredentials(Credentials()), "gate": OpenGate()}
    return build("feed", ConnectorContext(**{"cache_folder": folder, **known, **surroundings}, options=options))


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


def write_gbk(path: Path, records: list[dict[str, Any]]) -> None:
    write_ndjson(path, records)
    path.write_bytes(path.read_text(encoding="utf-8").encode("gb18030"))


def write_utf16(path: Path, records: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps(records, ensure_ascii=False), encoding="utf-16")


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


@contextmanager
def serving_files(folder: Path) -> Iterator[str]:
    """An HTTP server of this machine over a folder; yields its URL."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def _remote_feed(folder: Path, size: int) -> Iterator[Source]:
    path = folder / "remote.csv"
    records = [record(number) for number in range(size)]
    write_csv(path, records)
    path.write_bytes(path.read_text(encoding="utf-8-sig").encode("gb18030"))
    with serving_files(folder) as url:
        options = {"url": f"{url}/remote.csv", "mapping": MAPPING}
        connector = feed_from(options, cache_folder=str(folder / "kept"), allowed_hosts=("127.0.0.1",))
        yield Source(connector, frozenset(each["id"] for each in records), path)
        connector.close()


FEED_FAULTS: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "halved": _halve,
    "scrambled": _scramble,
    "html": lambda path: path.write_text("<html><body>登录</body></html>"),
    "deep": lambda path: path.write_text("[" * 200_000),
}


_running = ExitStack()


@cache
def simulator() -> GatewayClient:
    """One process for all cases, which begin with a reset; `stop_simulator` ends it."""
    return _running.enter_context(running_gateway())


def stop_simulator() -> None:
    """The next case starts another."""
    simulator.cache_clear()
    _running.close()


def _gateway(*, only_published: bool = False, deny: str = "", **options: Any) -> OpenedCase:
    """A simulator, and a connector that walks it as `options` say; a search and a pool show only what is on sale."""

    @contextmanager
    def opened(_folder: Path, size: int) -> Iterator[Source]:
        gateway = simulator()
        gateway.control("reset", products=size)
        gateway.control("limits", deny=deny)
        context = ConnectorContext(
            source_name="gateway",
            options={"gateway_url": gateway.url, **options},
            credentials=FixedCredentials(
                Credentials(
                    app_key=gateway.app_key,
                    app_secret=gateway.app_secret,
                    access_token=gateway.access_token,
                    refresh_token=gateway.refresh_token,
                )
            ),
            gate=OpenGate(),
            allowed_hosts=("127.0.0.1",),
        )
        connector = build("alibaba1688", context)
        catalogue = Catalogue(gateway.control("state")["seed"], size)
        shown = [index for index in range(size) if not only_published or _is_published(catalogue, index)]
        yield Source(connector, frozenset(str(catalogue.id_of(index)) for index in shown), gateway)
        connector.close()

    return opened


def _is_published(catalogue: Catalogue, index: int) -> bool:
    return catalogue.base_traits(index).status == PUBLISHED


def _gateway_fault(**rule: Any) -> Callable[[GatewayClient], object]:
    return lambda gateway: gateway.faults(rule)


GATEWAY_FAULTS: dict[str, Callable[[GatewayClient], object]] = {
    "http_500": _gateway_fault(kind="http_500"),
    "some_500": _gateway_fault(kind="http_500", every=3),
    "truncated_json": _gateway_fault(kind="truncated_json"),
    "html_body": _gateway_fault(kind="html_body"),
    "reset": _gateway_fault(kind="reset", partial=True),
    "expired_token": _gateway_fault(kind="expired_token", every=2),
    "null_lists": _gateway_fault(kind="null_lists"),
    "wrong_types": _gateway_fault(kind="wrong_types", share=0.3),
    "extra_fields": _gateway_fault(kind="extra_fields"),
    "bad_record": _gateway_fault(kind="bad_record", share=0.1),
    "duplicate_rows": _gateway_fault(kind="duplicate_rows", every=2),
    "page_shift": _gateway_fault(kind="page_shift", rows=3),
    "drifting_total": _gateway_fault(kind="drifting_total", rows=2),
    "empty": lambda gateway: gateway.control("empty", on=True),
}

WALK_FAULTS: dict[str, Callable[[GatewayClient], object]] = GATEWAY_FAULTS | {
    "drifting_order": _gateway_fault(kind="drifting_order", share=0.5),
    "gone_in_detail": _gateway_fault(kind="gone_in_detail", share=0.2),
}
ROW_FAULTS = {name: WALK_FAULTS[name] for name in ("truncated_json", "wrong_types", "duplicate_rows", "empty")}
SEARCH = {"keywords": ["批发"]}
DETAIL = "product.search.queryProductDetail"

CASES = [
    Case("alibaba1688", _gateway(), GATEWAY_FAULTS),
    Case("search", _gateway(only_published=True, walk="search", search=SEARCH), WALK_FAULTS),
    Case("search-rows", _gateway(only_published=True, walk="search", search=SEARCH, details="never"), ROW_FAULTS),
    Case("pool", _gateway(only_published=True, walk="pool", pool={"offer_pool_id": 1}), WALK_FAULTS),
    Case("pool-relation", _gateway(only_published=True, deny=DETAIL, walk="pool", pool={"offer_pool_id": 1}), {}),
    _feed("offers.ndjson", write_ndjson),
    _feed("offers.json", write_json),
    _feed("document.json", write_document, items="data.items"),
    _feed("offers.csv", write_csv),
    _feed("gbk.ndjson", write_gbk),
    _feed("utf16.json", write_utf16),
    Case("feed-url", _remote_feed, FEED_FAULTS),
]
