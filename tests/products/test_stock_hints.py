"""Stocks by hint: absolute, SKU by SKU, and only where they are newer than what is known."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from django.db import transaction

from products import catalog
from products.models import Product, ProductChange, Sku
from products.records import StockHint
from tests.products.records import SOURCE, apply, record, sku

pytestmark = pytest.mark.django_db

ID = "600000000001"
TWO = record(stock=30, skus=(sku("1", stock=10), sku("2", stock=20)))


def soon(seconds: float = 1) -> datetime:
    """A moment after everything stored so far."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


def hint(stock: int, sku_id: str = "", at: datetime | None = None) -> StockHint:
    """What a message says."""
    return StockHint(source_id=ID, sku_id=sku_id, stock=stock, at=at or soon())


def tell(*hints: StockHint, covered_until: datetime | None = None) -> int:
    """Store hints as the task does."""
    with transaction.atomic():
        return catalog.apply_stock(SOURCE, hints, covered_until)


def stocks() -> tuple[int, dict[str, int]]:
    """The product's stock, and its SKUs'."""
    product = Product.objects.get()
    return product.stock, dict(Sku.objects.order_by("source_sku_id").values_list("source_sku_id", "stock"))


def test_each_sku_gets_its_own_number_and_the_offer_its_own() -> None:
    apply(TWO)
    assert tell(hint(26), hint(7, "1"), hint(26), hint(19, "2")) == 1
    assert stocks() == (26, {"1": 7, "2": 19})
    change = ProductChange.objects.latest("id")
    assert (change.kind, change.job_id) == ("updated", None)
    skus = [{"1": {"stock": 10}, "2": {"stock": 20}}, {"1": {"stock": 7}, "2": {"stock": 19}}]
    assert change.fields == {"stock": [30, 26], "skus": skus}
    product = Product.objects.get()
    assert (product.version, bytes(product.fingerprint)) == (2, b"")


def test_where_the_offers_number_is_not_told_it_is_the_sum() -> None:
    apply(TWO)
    tell(hint(0, "1"))
    assert stocks() == (20, {"1": 0, "2": 20})


@pytest.mark.uncounted
def test_in_whatever_order_hints_come_the_newest_stays() -> None:
    for order in permutations([hint(1, "1", soon(1)), hint(2, "1", soon(2)), hint(3, "1", soon(3))]):
        Product.objects.all().delete()
        Sku.objects.all().delete()
        apply(TWO)
        for each in order:
            tell(each)
        assert stocks()[1]["1"] == 3


def test_a_repeated_hint_changes_nothing() -> None:
    apply(TWO)
    same = hint(4, "1")
    assert [tell(same), tell(same)] == [1, 0]
    assert Product.objects.get().version == 2


def test_a_hint_older_than_the_last_sync_is_history() -> None:
    before = datetime.now(UTC)
    apply(TWO)
    assert tell(hint(1, "1", before), hint(1, at=before)) == 0
    assert stocks() == (30, {"1": 10, "2": 20})


def test_a_hint_older_than_the_source_says_or_a_walk_covered_is_history() -> None:
    apply(record(source_updated_at=soon(60), skus=(sku("1"),)))
    assert tell(hint(1, "1", soon(30))) == 0
    assert tell(hint(1, "1", soon(90)), covered_until=soon(120)) == 0
    assert tell(hint(1, "1", soon(90)), covered_until=soon(80)) == 1


def test_a_hint_from_the_future_is_nobodys() -> None:
    apply(TWO)
    assert tell(hint(1, "1", soon(3600))) == 0
    assert tell(hint(2, "1")) == 1


def test_the_next_look_at_the_source_is_the_truth_also_if_it_looks_as_before() -> None:
    apply(TWO)
    tell(hint(1, "1"), hint(21))
    apply(TWO)
    assert stocks() == (30, {"1": 10, "2": 20})


@pytest.mark.parametrize(("owned", "left"), [("stock", (30, 7)), ("skus", (25, 10))])
def test_what_an_operator_owns_stays(owned: str, left: tuple[int, int]) -> None:
    apply(TWO)
    Product.objects.update(owned_fields=[owned])
    tell(hint(7, "1"), hint(25))
    stock, skus = stocks()
    assert (stock, skus["1"]) == left


@pytest.mark.uncounted
def test_unknown_products_skus_and_gone_ones_are_passed_over() -> None:
    apply(TWO)
    assert tell(StockHint(source_id="1", stock=1, at=soon()), hint(5, "77")) == 0
    Product.objects.update(status="delisted")
    assert tell(hint(5, "1")) == 0


def test_what_says_the_same_is_no_new_version() -> None:
    apply(TWO)
    assert tell(hint(10, "1"), hint(30)) == 0
    assert (Product.objects.get().version, ProductChange.objects.count()) == (1, 1)
    assert bytes(Product.objects.get().fingerprint) == TWO.fingerprint()
