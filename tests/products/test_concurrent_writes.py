"""Callers, batches and syncs that write the same products at the same time."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from products.models import Product, ProductChange
from products.services.batch import Operation, Policy, run_batch
from products.services.products import change_product, create_product, delete_product
from products.services.skus import create_sku
from system.errors import ApplicationError, ErrorCode
from tests.client import ApiClient
from tests.conftest import HANG_SECONDS
from tests.products.bodies import body, own
from tests.products.records import apply, record

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(jobs: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each job returned, or the error it was refused with; each ran on a connection of its own."""
    start = Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> Any:
        try:
            start.wait(HANG_SECONDS)
            return job()
        except ApplicationError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result(HANG_SECONDS) for future in [pool.submit(run, job) for job in jobs]]


def test_of_two_replacements_by_the_same_etag_one_wins(writer: ApiClient) -> None:
    path = f"products/{own().pk}"
    writer.get(path)
    known = {"If-Match": writer.last.headers["ETag"]}
    clients = [ApiClient(writer._headers["Authorization"].split()[1]) for _ in range(2)]

    def replace(number: int, client: ApiClient) -> int:
        answer: int = client.send("PUT", path, body(stock=number), headers=known).status_code
        return answer

    answers = at_once([partial(replace, number, client) for number, client in enumerate(clients)])

    assert sorted(answers) == [200, 412]
    assert Product.objects.get().version == 2


def test_changes_of_different_fields_are_all_kept() -> None:
    product = own()

    at_once([lambda: change_product(product.pk, {"stock": 5}), lambda: change_product(product.pk, {"unit": "件"})] * 3)

    product.refresh_from_db()
    assert (product.stock, product.unit, product.version) == (5, "件", 3)


def test_a_sku_is_given_to_one_of_many() -> None:
    answers = at_once([lambda: create_product(body(sku="wanted"))] * 6)

    assert answers.count(ErrorCode.SKU_TAKEN) == 5
    assert Product.objects.count() == ProductChange.objects.count() == 1


def test_a_product_is_deleted_once() -> None:
    product = own()

    answers = at_once([lambda: delete_product(product.pk)] * 4)

    assert Counter(answers) == {None: 1, ErrorCode.NOT_FOUND: 3}
    assert ProductChange.objects.filter(kind="deleted").count() == 1


def test_skus_made_at_once_are_all_counted() -> None:
    product = own()

    at_once([partial(create_sku, product.pk, {"code": str(number), "stock": 1}) for number in range(6)])

    product.refresh_from_db()
    assert (product.stock, product.version) == (6, 7)


def test_batches_and_syncs_that_overlap_in_everything_never_deadlock() -> None:
    dice = random.Random(1688)
    apply(*(record(str(number)) for number in range(30)))
    synced = list(Product.objects.values_list("id", flat=True))
    ours = [own(f"own {number}").pk for number in range(10)]

    def sync(turn: int) -> Callable[[], object]:
        records = [record(str(number), title=f"title {turn}") for number in dice.sample(range(40), 25)]
        return lambda: apply(*records)

    def batch(turn: int) -> Callable[[], object]:
        updates = [
            Operation(
                "update",
                id=product_id,
                values={"stock": turn} | ({"sku": f"sku {dice.randrange(20)}"} if product_id in ours else {}),
            )
            for product_id in dice.sample([*synced, *ours], 25)
        ]
        unique = {operation.values.get("sku", operation.id): operation for operation in updates}
        creates = [Operation("create", values=body(sku=f"new {number}")) for number in dice.sample(range(10), 5)]
        operations = [*unique.values(), *creates]
        dice.shuffle(operations)
        return lambda: run_batch(Policy.REJECT_FAILED, operations).done

    for turn in range(6):
        answers = at_once([make(turn * 10 + n) for n, make in enumerate([sync, batch, sync, batch])])
        assert [answer for answer in answers if isinstance(answer, ErrorCode)] == []

    assert (
        Product.objects.filter(source="").count() == Product.objects.filter(source="").values("sku").distinct().count()
    )
    assert Product.objects.filter(sku__startswith="new").count() == 10
