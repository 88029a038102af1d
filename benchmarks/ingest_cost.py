"""What a product costs on its way from an answer of the platform to the catalogue, stage by stage.

    python -m benchmarks.ingest_cost --products 6000 --batch 200

Runs whole syncs in this process (claim, calls without a network, mapping, comparison, the batch's transaction) against
a PostgreSQL and a Redis of its own: a first load, an unchanged one and one in which 5 % changed, with and without the
raw layer. Prints processor microseconds a product, which other work on the machine hardly moves, and the bytes of the
write-ahead log. The limit is a plain COPY of the finished rows into the same tables.
"""

import argparse
import gc
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any

import django
import msgspec

from devstack import throwaway
from devstack.gateway.catalogue import Catalogue
from devstack.gateway.revision import UNCHANGED, Kind

PAGE = 20
CHANGED_EVERY = 20
CHANGED_AT = 1_790_000_000_000
# What a first load fills, and the plain COPY of it fills again. `products_searchtext` is there with the search.
TABLES = ("products_product", "products_sku", "products_productchange", "products_searchtext")


class Pages:
    """The listing of a generated catalogue, as bodies of answers; made before anything is measured."""

    def __init__(self, products: int, *, changed: bool = False) -> None:
        catalogue = Catalogue(seed=1688, size=products)
        self.total = products
        self.bytes = 0
        self.bodies: list[bytes] = []
        for first in range(0, products, PAGE):
            rows = [_product(catalogue, index, changed) for index in range(first, min(first + PAGE, products))]
            result = {"resultList": rows, "totalRecords": products, "sizePerPage": PAGE}
            self.bodies.append(msgspec.json.encode({"result": {"success": True, "pageResult": result}}))
            self.bytes += len(self.bodies[-1])

    def answer(self, fields: Mapping[str, str]) -> bytes:
        """The body for these form fields of a call."""
        number = int(fields.get("pageNo", 0))
        if not number:
            return b'{"result":"20261118201638000+0800"}'
        if number <= len(self.bodies):
            return self.bodies[number - 1]
        page = {"resultList": [], "totalRecords": self.total, "sizePerPage": PAGE}
        return msgspec.json.encode({"result": {"success": True, "pageResult": page}})


def _product(catalogue: Catalogue, index: int, changed: bool) -> dict[str, Any]:
    if changed and index % CHANGED_EVERY == 0:
        return catalogue.product(index, UNCHANGED.then(Kind.PRICE), CHANGED_AT)
    return catalogue.product(index)


served: Pages  # what the canned connector answers from


def canned_connector(context: Any) -> Any:
    """The platform's connector whose calls stay in this process; they are signed, counted and decoded."""
    from syncjobs.connectors.alibaba1688.connector import Alibaba1688Connector
    from syncjobs.connectors.http import HttpAnswer

    class Canned:
        def post_form(self, _url: str, fields: Mapping[str, str]) -> HttpAnswer:
            return HttpAnswer(200, {}, served.answer(fields))

        def close(self) -> None:
            pass

    class CannedConnector(Alibaba1688Connector):
        def categories(self) -> Iterator[Any]:
            return iter(())

    connector = CannedConnector(context)
    connector._http.close()
    connector._http = connector._client._http = connector._tokens._http = Canned()  # type: ignore[assignment]
    return connector


def watch(stages: Any) -> None:
    """Name the stages; inner ones are taken out of the outer."""
    from products import catalog
    from products.ingest import products as product_rows
    from products.ingest import skus as sku_rows
    from products.records import ProductRecord
    from syncjobs.connectors.alibaba1688 import listing
    from syncjobs.connectors.alibaba1688.client import GatewayClient
    from syncjobs.connectors.alibaba1688.connector import Alibaba1688Connector
    from syncjobs.engine import normalize, pipeline
    from syncjobs.services import announce, batches, raw_answers, receipts, reject_guard, slices, walk_memory
    from syncjobs.services.pulse import Pulse

    stages.watch(GatewayClient, "call", "call: sign, envelope")
    stages.watch(receipts.CountedGate, "acquire", "call: gate and count")
    stages.watch(listing, "page_of", "page: ids")
    stages.watch(Alibaba1688Connector, "normalize", "map")
    stages.watch(ProductRecord, "fingerprint", "fingerprint")
    stages.watch(normalize, "_check_room", "room")
    stages.watch(normalize.Normalized, "add", "normalize: rest")
    stages.watch(catalog, "load_fingerprints", "db: fingerprints")
    stages.watch(pipeline, "differing", "diff")
    stages.watch(catalog, "_incoming", "apply: cells, references")
    stages.watch(catalog, "insert_missing", "apply: new rows")
    stages.watch(catalog, "lock_products", "apply: lock known")
    stages.watch(catalog, "_decide", "apply: decide")
    stages.watch(catalog, "log_changes", "apply: change rows")
    stages.watch(sku_rows.SkuWrites, "write", "apply: sku rows")
    stages.watch(product_rows, "update_products", "apply: update")
    stages.watch(catalog, "apply", "apply: rest")
    stages.watch(raw_answers, "keep", "raw layer")
    stages.watch(walk_memory, "remember", "finish: seen")
    stages.watch(batches, "mark_done", "finish: batch done")
    stages.watch(batches, "count", "finish: counters")
    stages.watch(batches.BatchUnitOfWork, "finish", "finish: rest")
    stages.watch(batches, "claim", "claim")
    stages.watch(reject_guard, "check_rejects", "after: reject guard")
    stages.watch(announce, "progress", "after: progress")
    stages.watch(slices, "write_batch", "batch: rest")
    stages.watch(Pulse, "holding", "pulse")


def main() -> None:
    """Start the servers, run the six syncs, print."""
    options = _options()
    start_servers()
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    from benchmarks.ingest_stages import Database, Stages

    stages = Stages()
    if not options.bare:
        watch(stages)
    pages = {"unchanged": Pages(options.products), "5 % changed": Pages(options.products, changed=True)}
    print(f"{options.products} products, {pages['unchanged'].bytes / options.products / 1000:.1f} KB each")
    gc.collect()
    gc.freeze()
    # Every statement is planned, every module loaded, before something counts.
    _runs(options, stages, Database(), {name: Pages(400, changed="c" in name) for name in pages}, raw=True, quiet=True)
    for raw in {"both": (True, False), "on": (True,), "off": (False,)}[options.raw]:
        _runs(options, stages, Database(), pages, raw=raw)


def _runs(
    options: argparse.Namespace, stages: Any, database: Any, pages: dict[str, Pages], *, raw: bool, quiet: bool = False
) -> None:
    global served
    _empty(raw)
    for name, answers in {"first load": pages["unchanged"], **pages}.items():
        served = answers
        job = _sync(options, stages, database)
        if not quiet:
            print(f"\n== {name}, raw layer {'on' if raw else 'off'}: {_counted(job)}")
            _show(stages, database.spent(), options)
        if name == "first load":
            copied = _copy_again(database)
            if not quiet:
                _show_copy(copied, options)


def _sync(options: argparse.Namespace, stages: Any, database: Any) -> Any:
    from django.db import connection

    from syncjobs.services.jobs import StartSync, start_sync
    from syncjobs.services.slices import run_slice
    from system.models import Task
    from system.queue import TaskContext

    job = start_sync(StartSync(type="full", source="bench", batch_size=options.batch, max_workers=1))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_statements_reset()")
    database.begin()
    stages.begin()
    while job.state == "running":
        task = Task.objects.create(kind="sync.slice", state="running", fence=1, job_id=job.pk)
        run_slice({"job_id": job.pk}, TaskContext(task.pk, 1, job.pk))
        job.refresh_from_db()
    stages.end()
    return job


def _counted(job: Any) -> str:
    return f"{job.state}, {job.created} new, {job.updated} changed, {job.unchanged} unchanged, {job.rejected} rejected"


def _show(stages: Any, spent: Mapping[str, float], options: argparse.Namespace) -> None:
    from benchmarks.ingest_stages import statements

    each = 1e6 / options.products
    ours = sum(stages.seconds.values())
    for stage, seconds in sorted(stages.seconds.items(), key=lambda item: -item[1]):
        print(f"  {stage:28} {seconds * each:8.1f} µs  {stages.calls[stage]:7} calls")
    print(f"  {'this process':28} {ours * each:8.1f} µs")
    print(f"  {'PostgreSQL, our backend':28} {spent['backend'] * each:8.1f} µs")
    print(f"  {'PostgreSQL, other processes':28} {spent['others'] * each:8.1f} µs")
    print(f"  {'write-ahead log':28} {spent['wal'] / options.products:8.0f} bytes")
    rate = options.products / (ours + spent["backend"])
    print(f"  => {rate:,.0f} products/s if one waits for the other")
    if options.statements:
        for milliseconds, calls, wal, text in statements():
            share = f"{milliseconds * 1000 / options.products:7.1f} µs {wal / options.products:6.0f} B"
            print(f"    {share} {calls:6} × {text}")


def _copy_again(database: Any) -> dict[str, Any]:
    """The limit: the rows that a first load made, once more by COPY alone, into the emptied tables."""
    from django.db import connection, transaction

    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SELECT relname FROM pg_class WHERE relname = ANY(%s) AND relkind = 'r'", [list(TABLES)])
        tables = [row[0] for row in cursor.fetchall()]
        ready = {}
        for table in tables:
            names = _columns(cursor, table)
            with cursor.copy(f"COPY {table} ({names}) TO STDOUT (FORMAT BINARY)") as copy:
                ready[table, names] = b"".join(bytes(block) for block in copy)
        cursor.execute(f"TRUNCATE {', '.join(tables)}")
    database.begin()
    began, clock = time.process_time(), time.perf_counter()
    with connection.cursor() as cursor, transaction.atomic():
        for (table, names), rows in ready.items():
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)") as copy:
                for start in range(0, len(rows), 65_536):
                    copy.write(rows[start : start + 65_536])
    spent = database.spent()
    return {**spent, "ours": time.process_time() - began, "wall": time.perf_counter() - clock, "tables": tables}


def _columns(cursor: Any, table: str) -> str:
    cursor.execute(
        "SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
        [table],
    )
    return str(cursor.fetchone()[0])


def _show_copy(copied: Mapping[str, Any], options: argparse.Namespace) -> None:
    each = 1e6 / options.products
    print(f"  plain COPY into {', '.join(copied['tables'])}:")
    print(f"    this process {copied['ours'] * each:.1f} µs, backend {copied['backend'] * each:.1f} µs,", end=" ")
    print(f"wall {copied['wall'] * each:.1f} µs, write-ahead log {copied['wal'] / options.products:.0f} bytes")


def _empty(raw: bool) -> None:
    from django.db import connection

    from syncjobs.connectors import registry
    from syncjobs.connectors.registry import Credentials
    from syncjobs.models import Source
    from syncjobs.services.sources import NewSource, add_source
    from system import runtime
    from system.models import Setting

    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    empty_tables()
    registry.CONNECTORS["alibaba1688"] = "benchmarks.ingest_cost:canned_connector"
    Setting.objects.update_or_create(key="sync.raw_days", defaults={"value": 30 if raw else 0})
    runtime.forget()
    held = Credentials(app_key="1", app_secret=secrets.token_hex(8), access_token=secrets.token_hex(8))
    if not Source.objects.filter(name="bench").exists():
        add_source(NewSource(name="bench", kind="alibaba1688", credentials=held, calls_per_second=10_000))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest_cost")
    parser.add_argument("--products", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=100, help="products a batch")
    parser.add_argument("--raw", choices=("both", "on", "off"), default="both", help="keep the source's own bytes")
    parser.add_argument("--bare", action="store_true", help="without stages, whose clocks cost 2 µs a product")
    parser.add_argument("--statements", action="store_true", help="also the database's dearest statements")
    return parser.parse_args()


def start_servers() -> None:
    """PostgreSQL and Redis of their own, and the environment that leads to them, until this process ends."""
    wanted = {"shared_preload_libraries": "pg_stat_statements", "compute_query_id": "on"}
    os.environ |= {
        **throwaway.start_servers("s1688-bench-", wanted),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "IGNORE_ENV_FILES": "1",
        "DATABASE_STATEMENT_TIMEOUT_MS": "60000",
        "OUTBOUND_ALLOWED_HOSTS": "127.0.0.1",
        "SYSTEM_LOG": "false",
    }


def empty_tables() -> None:
    """Empty the catalogue and all that syncs know and do."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^(products|syncjobs)_'")
        cursor.execute(f"TRUNCATE system_task, {', '.join(row[0] for row in cursor.fetchall())}")


if __name__ == "__main__":
    # Workers import the connector by this name, and both must mean the same pages.
    from benchmarks import ingest_cost

    ingest_cost.main()
