"""What a setting of PostgreSQL is worth, on a filled catalogue: processor time, blocks read, write-ahead log.

    python -m benchmarks.postgres_settings .devstack/bench
    python -m benchmarks.postgres_settings .devstack/bench shared_buffers=128MB jit=on

Takes the folder of a finished `make bench` and starts its server with the settings that are recommended, then with each
of the given ones changed ("a=1,b=2" changes two at once). Reads are lists, filtered and sorted lists and searches by
the catalogue's own selectors; writes are batches in which every product has changed, the first ones right behind a
checkpoint. Processor time is that of the server, so other work on the machine hardly moves it.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django

from benchmarks.accounting import tree_seconds
from benchmarks.world import products as made_up
from benchmarks.world import searches
from benchmarks.world.installation import Installation
from devstack.demo.stack import PATIENT_DATABASE, PROJECT
from devstack.postgres import EmbeddedPostgres
from devstack.redis import EmbeddedRedis

CHANGES = (
    *("", "random_page_cost=4", "jit=on", "work_mem=4MB", "shared_buffers=128MB", "shared_buffers=2GB"),
    *("synchronous_commit=off", "wal_compression=pglz", "wal_compression=lz4", "gin_pending_list_limit=4MB"),
)
LISTS, SORTED, SEARCHES, COLD_SEARCHES = 400, 60, 60, 60
BATCHES, BATCH = 10, 200
ROUNDS = 3
Work = Callable[[], None]


def main(folder: Path, changes: list[str]) -> None:
    """Measure one after the other, in processes of their own."""
    for change in changes or CHANGES:
        settings = dict(pair.split("=") for pair in change.split(",") if pair)
        postgres = EmbeddedPostgres(folder / "pg", settings)
        try:
            with postgres, EmbeddedRedis(folder / "redis") as redis:
                print(f"\n{change or 'as recommended'}", flush=True)
                environment = Installation(folder, postgres, redis).environment()
                subprocess.run(
                    [sys.executable, "-m", "benchmarks.postgres_settings", "--measure", str(postgres.pid)],
                    env={**environment, **PATIENT_DATABASE},
                    cwd=PROJECT,
                    check=True,
                )
        except RuntimeError as error:
            print(f"\n{change}: not with this server ({str(error).strip().splitlines()[-1]})")
            postgres.stop()


def measure(server: int) -> None:
    """Do the work of each kind and print what it took of the server, at its best."""
    for name, count, work in _works():
        taken = []
        for _ in range(ROUNDS):
            before = _counters(server)
            work()
            taken.append([(after - old) / count for after, old in zip(_counters(server), before, strict=True)])
        cpu, read, written, whole = min(taken)
        times = f"{cpu * 1000:8.3f} ms of the server, {whole * 1000:8.3f} ms in all"
        print(f"  {name:34} {times}, {read:8.1f} blocks read, {written:9.0f} bytes of log", flush=True)


def _counters(server: int) -> tuple[float, float, float, float]:
    """Processor seconds of the server, blocks read, bytes of its log, and the time."""
    from system.sql import fetch_all

    fetch_all("SELECT pg_stat_force_next_flush()::text")
    read, written = fetch_all("SELECT sum(reads), pg_current_wal_insert_lsn() - '0/0'::pg_lsn FROM pg_stat_io")[0]
    return tree_seconds(server), float(read), float(written), time.perf_counter()


def _works() -> Iterator[tuple[str, int, Work]]:
    from system.sql import execute

    categories = [leaf.id for leaf in made_up.leaves()]
    yield "list of a category", LISTS, lambda: _lists(categories)
    yield "list by price, filtered", SORTED, lambda: _filtered(categories)
    yield "search, two characters", SEARCHES, lambda: _searches(searches.two_characters()[:SEARCHES])
    yield "search, nothing found", COLD_SEARCHES, lambda: _searches(searches.missing()[:COLD_SEARCHES])
    size = BATCHES * BATCH

    def behind_a_checkpoint() -> None:
        execute("CHECKPOINT")
        _write()

    yield "changed product behind a checkpoint", size, behind_a_checkpoint
    yield "changed product", size, _write
    yield "search behind it", SEARCHES, lambda: _searches(searches.two_characters()[-SEARCHES:])


def _lists(categories: list[int]) -> None:
    from products.selectors.products import product_page

    for number in range(LISTS):
        filters = {"category_id": categories[number % len(categories)]}
        product_page(filters, sort="id", descending=True, limit=20, offset=number // len(categories) * 20)


def _filtered(categories: list[int]) -> None:
    from products.selectors.products import product_page

    for number in range(SORTED):
        filters: dict[str, Any] = {"category_id": categories[number], "price_min": 10, "price_max": 200}
        product_page(filters, sort="price", descending=False, limit=20, offset=number % 5 * 20)


def _searches(queries: list[str]) -> None:
    from urllib.parse import parse_qsl

    from products.selectors.products import search_page

    for query in queries:
        given = dict(parse_qsl(query))
        size, number = int(given.get("page_size", 20)), int(given.get("page", 1))
        search_page({"q": given["q"]}, limit=size, offset=(number - 1) * size)


def _write() -> None:
    from benchmarks.world.filling import SOURCE, write
    from products.models import Product

    size = Product.objects.filter(source=SOURCE).count()
    edition = int(time.time()) % 100_000
    for begin in range(0, BATCHES * BATCH, BATCH):
        # From all over the catalogue, as a sync finds them.
        step = size // (BATCHES * BATCH)
        numbers = range(begin * step, (begin + BATCH) * step, step)
        write(SOURCE, (made_up.product(number, size, edition) for number in numbers))


if __name__ == "__main__":
    if sys.argv[1] == "--measure":
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        django.setup()
        measure(int(sys.argv[2]))
    else:
        main(Path(sys.argv[1]), sys.argv[2:])
