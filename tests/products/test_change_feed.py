"""GET products/changes: everything that happens, once, in an order that only grows."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from products.models import Product, ProductChange, Shop
from products.selectors import changes
from products.selectors.changes import Position, feed_page
from products.services.changes import mend_feed
from system import wire
from system.api.pagination import decode_cursor, encode_cursor
from system.sql import copy_rows, execute, fetch_one
from tests.client import ApiClient
from tests.conftest import eventually
from tests.products.records import apply, record

# Lines of a transaction that is still open are not shown, so these tests commit.
pytestmark = pytest.mark.django_db(transaction=True)


def write(product_id: int, kind: str = "updated") -> int:
    """One line, committed with the surrounding transaction."""
    return ProductChange.objects.create(product_id=product_id, kind=kind, fields={"stock": [1, 2]}).pk


def settled() -> None:
    """Wait until what is committed is shown: a test in another database may have ended while somebody looked."""
    waiting = f"""
        SELECT count(*) FROM products_productchange c
        WHERE NOT {changes._SETTLED} AND c.xact < pg_snapshot_xmax(pg_current_snapshot())
    """  # noqa: S608 - constants only
    with_horizon = f"WITH horizon AS MATERIALIZED ({changes._HORIZON}) {waiting}"
    eventually(lambda: fetch_one(with_horizon) == (0,))


def everything(limit: int = 100, **filters: Any) -> list[int]:
    """The ids of all lines that are committed, read page by page."""
    settled()
    seen, position = list[int](), None
    while True:
        page = feed_page(filters, after=position, limit=limit, user_id=1)
        seen += [line["id"] for line in page.items]
        position = page.position
        if not page.has_more:
            return seen


def products_of(page: dict[str, Any]) -> list[int]:
    return [item["product_id"] for item in page["items"]]


def test_a_line_tells_what_happened(reader: ApiClient) -> None:
    apply(record(), job_id=4)
    apply(record(stock=7), job_id=5)
    product, shop = Product.objects.get(), Shop.objects.get()
    settled()

    page = reader.get("products/changes")

    created, updated = page["items"]
    assert (created["kind"], created["fields"]) == ("created", {})
    assert updated == {
        "id": updated["id"],
        "product_id": product.pk,
        "sku": "1688-600000000001",
        "source": "demo",
        "shop_id": shop.pk,
        "kind": "updated",
        "fields": {"stock": [100, 7]},
        "reason": "",
        "task_id": "sync_5",
        "at": updated["at"],
    }
    assert page["has_more"] is False


def test_a_reader_goes_on_where_it_stopped(reader: ApiClient) -> None:
    for number in range(5):
        write(number)
    settled()
    first = reader.get("products/changes", limit=3)
    second = reader.get("products/changes", limit=3, cursor=first["next_cursor"])

    assert (products_of(first), first["has_more"]) == ([0, 1, 2], True)
    assert (products_of(second), second["has_more"]) == ([3, 4], False)
    again = reader.get("products/changes", cursor=second["next_cursor"])
    assert (again["items"], again["has_more"], again["next_cursor"]) == ([], False, second["next_cursor"])
    write(9)
    settled()
    assert products_of(reader.get("products/changes", cursor=again["next_cursor"])) == [9]


def test_what_has_not_changed_is_not_sent_again(reader: ApiClient) -> None:
    write(1)
    settled()
    cursor = reader.get("products/changes")["next_cursor"]
    reader.get("products/changes", cursor=cursor)

    etag = reader.last.headers["ETag"]
    assert reader.send("GET", f"products/changes?cursor={cursor}", headers={"If-None-Match": etag}).status_code == 304


def test_an_empty_feed_has_a_cursor_as_well(reader: ApiClient) -> None:
    page = reader.get("products/changes")
    assert page["items"] == []
    write(1)
    settled()

    assert products_of(reader.get("products/changes", cursor=page["next_cursor"])) == [1]


@contextmanager
def other_connection() -> Iterator[Any]:
    """A second session of the same database."""
    other = connection.copy()
    try:
        yield other
    finally:
        other.close()


def test_a_line_that_commits_late_is_not_missed() -> None:
    with other_connection() as late:
        late.set_autocommit(False)
        with late.cursor() as cursor:
            cursor.execute(
                "INSERT INTO products_productchange (product_id, kind, fields, at) VALUES (1, 'updated', '{}', now())"
                " RETURNING id"
            )
            early_id = cursor.fetchone()[0]
        later_id = write(2)
        assert later_id > early_id

        before = feed_page({}, after=None, limit=100, user_id=1)
        late.commit()
        settled()
        after = feed_page({}, after=before.position, limit=100, user_id=1)

    assert [line["id"] for line in (*before.items, *after.items)] == [early_id, later_id]


def test_a_line_that_is_rolled_back_never_appears_and_holds_nobody_up() -> None:
    with other_connection() as failing:
        failing.set_autocommit(False)
        with failing.cursor() as cursor:
            cursor.execute(
                "INSERT INTO products_productchange (product_id, kind, fields, at) VALUES (1, 'updated', '{}', now())"
            )
        kept = write(2)
        failing.rollback()

    assert everything() == [kept]


def test_readers_of_the_database_hold_nobody_up() -> None:
    with other_connection() as reading:
        reading.set_autocommit(False)
        with reading.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SELECT count(*) FROM products_productchange")
            written = write(1)
            assert everything() == [written]
        reading.rollback()


def test_work_in_another_database_holds_nobody_up() -> None:
    with other_connection() as elsewhere:
        elsewhere.settings_dict = {**elsewhere.settings_dict, "NAME": "postgres"}
        elsewhere.set_autocommit(False)
        with elsewhere.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")
        written = write(1)

        assert everything() == [written]


def test_lines_written_by_copy_take_part() -> None:
    with transaction.atomic():
        columns = {"product_id": "int8", "kind": "text", "fields": wire.JSONB, "at": wire.MOMENT}
        rows = [(number, "created", wire.jsonb(b"{}"), wire.moment(timezone.now())) for number in range(3)]
        copy_rows("products_productchange", columns, rows)

    assert len(everything()) == 3


WRITERS, TRANSACTIONS = 8, 40


def test_eight_writers_and_a_reader_lose_and_repeat_nothing() -> None:
    done = threading.Event()

    def writer(number: int) -> None:
        try:
            for turn in range(TRANSACTIONS):
                with transaction.atomic():
                    write(number)
                    execute("SELECT pg_sleep(%s::float8 / 1000)", [(number * 7 + turn * 3) % 5])
                    write(number)
        finally:
            connection.close()

    def reader() -> list[int]:
        seen, position = list[int](), None
        try:
            while True:
                finished = done.is_set()
                page = feed_page({}, after=position, limit=7, user_id=1)
                seen += [line["id"] for line in page.items]
                position = page.position
                if finished and not page.has_more:
                    return seen
        finally:
            connection.close()

    with ThreadPoolExecutor(WRITERS + 1) as pool:
        reading = pool.submit(reader)
        writing = [pool.submit(writer, number) for number in range(WRITERS)]
        for each in writing:
            each.result()
        settled()
        done.set()
        seen = reading.result()

    written = ProductChange.objects.order_by("xact", "id").values_list("id", flat=True)
    assert len(seen) == WRITERS * TRANSACTIONS * 2
    assert seen == list(written)


def test_a_rare_filter_reads_a_bounded_part_and_says_there_is_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "SCAN_LIMIT", 4)
    rare = [write(1, "deleted") if number in {3, 9} else write(1) and 0 for number in range(10)]
    settled()

    first = feed_page({"kind": ["deleted"]}, after=None, limit=5, user_id=1)
    second = feed_page({"kind": ["deleted"]}, after=first.position, limit=5, user_id=1)

    assert [line["id"] for line in first.items] == [rare[3]]
    assert (second.items, second.has_more) == ([], True)
    assert everything(5, kind=["deleted"]) == [rare[3], rare[9]]


def test_a_wait_for_something_new_does_not_read_the_past_again() -> None:
    write(1)
    settled()
    nothing = feed_page({"since": timezone.now() + timedelta(days=1)}, after=None, limit=5, user_id=1)

    assert feed_page({}, after=nothing.position, limit=5, user_id=1).items == []


def test_a_cursor_of_another_database_is_gone(reader: ApiClient) -> None:
    write(1)
    _, (_, xact, line_id) = decode_cursor(reader.get("products/changes")["next_cursor"])
    foreign = encode_cursor("changes", ["1", xact, line_id])

    assert reader.get("products/changes", cursor=foreign, expect=410)["code"] == "E01020"


def test_a_cursor_from_the_future_of_a_restored_backup_is_gone() -> None:
    here = feed_page({}, after=None, limit=1, user_id=1).position

    with pytest.raises(changes.StalePosition):
        feed_page({}, after=Position(here.cluster, here.xact + 10**6, 1), limit=1, user_id=1)


def test_lines_restored_from_another_cluster_are_shown_again() -> None:
    restored = [write(1), write(2)]
    execute("UPDATE products_productchange SET xact = (xact::text::bigint + 1000000)::text::xid8")
    assert everything() == []

    mend_feed()

    # The server's other databases hold lines back, too, while a transaction is open there.
    assert eventually(everything) == restored
    stamps = fetch_one("SELECT count(DISTINCT xact) FROM products_productchange")
    mend_feed()
    assert stamps == fetch_one("SELECT count(DISTINCT xact) FROM products_productchange") == (1,)
