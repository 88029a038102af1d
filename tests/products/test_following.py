"""Who is told of changes hears each product's in their order, however transactions overlap."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from products.models import Product, ProductChange
from products.selectors.changes import Position
from products.selectors.following import changes_in_order, feed_end, is_forgotten, lags
from system.sql import execute
from tests.products.records import apply, record
from tests.products.test_change_feed import settled

# Lines of a transaction that is still open are not shown, so these tests commit.
pytestmark = pytest.mark.django_db(transaction=True)

LINE = "INSERT INTO products_productchange (product_id, kind, fields, at) VALUES (%s, %s, '{}', now()) RETURNING id"


@contextmanager
def early_writer() -> Iterator[Any]:
    """A transaction that has its number before all that follow, and writes and commits later than they."""
    other = connection.copy()
    other.set_autocommit(False)
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")
            yield cursor
            other.commit()
    finally:
        other.close()


def write(product_id: int, kind: str = "updated", fields: Any = None) -> int:
    """One line in a transaction of its own."""
    return ProductChange.objects.create(product_id=product_id, kind=kind, fields=fields or {}).pk


def followed(start: Position, limit: int = 100, **filters: Any) -> list[list[dict[str, Any]]]:
    """All runs of changes behind a place."""
    settled()
    runs, place = [], start
    while True:
        page = changes_in_order(filters, after=place, limit=limit)
        runs += [page.items] if page.items else []
        place = page.position
        if not page.has_more:
            return runs


def ids(runs: list[list[dict[str, Any]]]) -> list[list[int]]:
    return [[line["id"] for line in run] for run in runs]


def late_line(product_id: int) -> tuple[int, int]:
    """An older and a younger line of a product; the younger one's transaction is the older."""
    with early_writer() as writer:
        older = write(product_id)
        writer.execute(LINE, [product_id, "updated"])
        return older, writer.fetchone()[0]


def test_a_place_is_where_only_what_follows_is_heard() -> None:
    write(1)
    settled()
    start = feed_end()
    later = write(2)
    assert ids(followed(start)) == [[later]]


def test_of_one_product_the_older_line_comes_first_though_its_transaction_is_the_younger() -> None:
    start = feed_end()
    older, younger = late_line(1)
    assert ids(followed(start)) == [[older, younger]]


def test_an_older_line_behind_the_end_of_a_run_is_brought_forward() -> None:
    start = feed_end()
    older, younger = late_line(1)
    runs = ids(followed(start, limit=1))
    assert runs[0] == [older, younger]
    assert runs[1:] == [[older]]  # again at its own place, with a number its receiver has left behind


def test_only_what_is_asked_for_is_brought_forward() -> None:
    start = feed_end()
    with early_writer() as writer:
        write(1, "created")
        writer.execute(LINE, [1, "updated"])
        younger = writer.fetchone()[0]
    assert ids(followed(start, limit=1, kind=["updated"])) == [[younger]]


def test_filters_let_through_what_they_say() -> None:
    start = feed_end()
    apply(record("1"), source="shop")
    apply(record("2"), source="other")
    apply(record("1", stock=7), source="shop")
    apply(record("1", stock=7, title="新"), source="shop")
    found = followed(start, sources=["shop"], updates_of=["title"], kind=["created", "updated"])
    assert [(line["kind"], line["source"], list(line["fields"])) for run in found for line in run] == [
        ("created", "shop", []),
        ("updated", "shop", ["title"]),
    ]


def test_a_lag_counts_up_to_its_limit() -> None:
    start = feed_end()
    first = ProductChange.objects.get(pk=write(1))
    write(2), write(3)
    lag = lags({7: start, 8: Position(start.cluster, start.xact + 10**6, 1)}, 2)
    assert (lag[7].lines, lag[7].oldest_at) == (2, first.at)
    assert (lag[8].lines, lag[8].oldest_at) == (0, None)
    assert lags({}, 1) == {}


def test_a_place_before_all_lines_that_are_left_is_forgotten() -> None:
    write(1)
    settled()
    place = feed_end()
    assert not is_forgotten(place)
    write(2)
    ProductChange.objects.filter(product_id=1).delete()
    assert is_forgotten(place)


WRITERS, TURNS, PRODUCTS = 6, 25, 4
Heard = dict[int, list[tuple[int, int]]]


def write_versions(products: list[int], number: int) -> None:
    """Raise one product's version after the other, each time in a transaction that is older than its lock."""
    try:
        for turn in range(TURNS):
            with transaction.atomic():
                execute("SELECT pg_current_xact_id()")
                execute("SELECT pg_sleep(%s::float8 / 1000)", [(number * 5 + turn * 3) % 7])
                product = Product.objects.select_for_update().get(pk=products[(number + turn) % PRODUCTS])
                Product.objects.filter(pk=product.pk).update(version=product.version + 1)
                write(product.pk, fields={"version": [product.version, product.version + 1]})
    finally:
        connection.close()


def hear_versions(start: Position, done: threading.Event) -> Heard:
    """Number and version of each product's lines as they are told, until nobody writes any more."""
    heard, place = Heard(), start
    try:
        while True:
            finished = done.is_set()
            page = changes_in_order({}, after=place, limit=3)
            for line in page.items:
                heard.setdefault(line["product_id"], []).append((line["id"], line["fields"]["version"][1]))
            place = page.position
            if finished and not page.has_more:
                return heard
    finally:
        connection.close()


def believed(lines: list[tuple[int, int]]) -> list[int]:
    """The versions that a receiver takes who leaves out what is not newer than what it has."""
    newest, versions = 0, list[int]()
    for number, version in lines:
        if number > newest:
            newest, versions = number, [*versions, version]
    return versions


def test_six_writers_of_the_same_products_are_heard_in_the_order_of_each_products_versions() -> None:
    apply(*(record(str(number)) for number in range(PRODUCTS)))
    settled()
    start, done = feed_end(), threading.Event()
    products = list(Product.objects.order_by("id").values_list("id", flat=True))
    with ThreadPoolExecutor(WRITERS + 1) as pool:
        reading = pool.submit(hear_versions, start, done)
        for each in [pool.submit(write_versions, products, number) for number in range(WRITERS)]:
            each.result()
        settled()
        done.set()
        heard = reading.result()
    for product in Product.objects.all():
        assert believed(heard[product.pk]) == list(range(2, product.version + 1))
    assert sum(len(set(lines)) for lines in heard.values()) == WRITERS * TURNS
