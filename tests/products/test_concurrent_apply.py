"""Batches that meet: the same products, shops and categories from several connections at once."""

import random
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from django.db import connection, transaction

from products.models import Category, Product, ProductChange, Shop, Sku
from products.records import ApplyResult, CategoryRef, ProductRecord, ShopRecord
from tests.conftest import HANG_SECONDS, eventually, somebody_waits
from tests.products.records import apply, record, sku

pytestmark = pytest.mark.django_db(transaction=True)


def in_threads(*jobs: Callable[[], ApplyResult]) -> list[ApplyResult]:
    """Run every job on a connection of its own, all at once."""
    start = Barrier(len(jobs))

    def run(job: Callable[[], ApplyResult]) -> ApplyResult:
        try:
            start.wait(HANG_SECONDS)
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        futures: list[Future[ApplyResult]] = [pool.submit(run, job) for job in jobs]
        return [future.result(HANG_SECONDS) for future in futures]


def test_the_same_new_product_is_created_once() -> None:
    results = in_threads(*[lambda: apply(record())] * 4)

    assert sorted(result.created for result in results) == [0, 0, 0, 1]
    assert sum(result.unchanged for result in results) == 3
    assert Product.objects.count() == Sku.objects.count() == Shop.objects.count() == Category.objects.count() == 1
    assert list(ProductChange.objects.values_list("kind", flat=True)) == ["created"]


def test_a_writer_that_waited_sees_what_it_waited_for() -> None:
    """The second writer meets the first one's product while it is not committed; its news becomes an update."""
    apply(record("shop and category are there"))
    first_wrote = Event()

    def first() -> ApplyResult:
        with transaction.atomic():
            result = apply(record(title="first"))
            first_wrote.set()
            eventually(somebody_waits)
            return result

    def second() -> ApplyResult:
        first_wrote.wait(HANG_SECONDS)
        return apply(record(title="second", skus=(sku("4839", stock=1), sku("new"))), record("only mine"))

    assert in_threads(first, second) == [
        ApplyResult(created=1),
        ApplyResult(created=1, updated=1, fields={"title": 1, "skus": 1}),
    ]
    product = Product.objects.get(source_id="600000000001")
    assert (product.title, product.version) == ("second", 2)
    assert dict(Sku.objects.filter(product_id=product.pk).values_list("source_sku_id", "stock")) == {
        "4839": 1,
        "new": 10,
    }
    assert Sku.objects.filter(product_id=Product.objects.get(source_id="only mine").pk).count() == 1


def test_batches_that_overlap_in_everything_never_deadlock() -> None:
    dice = random.Random(1688)

    def batch(turn: int) -> list[ProductRecord]:
        return [
            record(
                str(number),
                title=f"title {turn}",
                shop=ShopRecord(source_id=f"shop {dice.randrange(5)}", name=f"name {turn}"),
                category=CategoryRef(names=("root", f"branch {dice.randrange(5)}")),
            )
            for number in dice.sample(range(40), 25)
        ]

    for turn in range(6):
        batches = [batch(turn * 10 + thread) for thread in range(4)]
        in_threads(*[lambda products=products: apply(*products) for products in batches])

    assert Product.objects.count() == Sku.objects.count() == 40
    assert Product.objects.filter(version__lt=2).count() < 40
    assert ProductChange.objects.filter(kind="created").count() == 40
