"""What a job did to products is put back exactly, or not at all."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from products import catalog
from products.ingest import ownership
from products.ingest.revert import Reverted, revert
from products.models import Product, ProductChange, Sku
from products.records import PriceTier
from tests.products.records import SOURCE, apply, record, sku

pytestmark = pytest.mark.django_db

FIRST, SECOND, LATER = 5, 6, 7


def undo(*product_ids: int, job_id: int = SECOND) -> Reverted:
    with transaction.atomic():
        return revert(job_id, product_ids)


def the_product() -> Product:
    return Product.objects.get()


def stored() -> dict[str, Any]:
    """The product and its SKUs, less what every write changes."""
    row: dict[str, Any] = dict(Product.objects.values().get())
    for name in ("version", "fingerprint", "synced_at", "updated_at"):
        row.pop(name)
    skus = Sku.objects.order_by("source_sku_id").values("source_sku_id", "spec_id", "code", "spec", "price", "stock")
    return {"product": row, "skus": list(skus)}


CHANGES: list[dict[str, Any]] = [
    {"price": Decimal("11.00"), "title": "耳机 2"},
    {"price": None},
    {"price_tiers": (PriceTier(5, Decimal("7.35")),), "attributes": {"重量": 0.5}},
    {"images": (), "description": "", "stock": 0, "status": "expired"},
    {"skus": (sku(stock=3, price=Decimal("8.80")),), "stock": 3},
    {"skus": (sku(), sku("4840", spec={"颜色": "蓝色"}))},
]


@pytest.mark.parametrize("changes", CHANGES, ids=[", ".join(change) for change in CHANGES])
def test_every_value_is_what_it_was_before(changes: dict[str, Any]) -> None:
    apply(record(), job_id=FIRST)
    before = stored()
    apply(record(**changes), job_id=SECOND)
    assert stored() != before
    product = the_product()
    assert undo(product.pk) == ([product.pk], [])
    assert stored() == before
    assert the_product().version == product.version + 1


def test_the_undo_is_a_change_of_its_own_with_the_sides_swapped() -> None:
    apply(record(), job_id=FIRST)
    apply(record(price=Decimal("11.00"), skus=(sku(stock=1),)), job_id=SECOND)
    undo(the_product().pk)
    did, undid = ProductChange.objects.order_by("id")[1:]
    assert undid.fields == {name: pair[::-1] for name, pair in did.fields.items()}
    assert (undid.kind, undid.job_id) == ("updated", None)


def test_a_product_the_job_created_is_deleted() -> None:
    apply(record(), job_id=SECOND)
    undo(the_product().pk)
    assert the_product().deleted_at
    assert ProductChange.objects.latest("id").kind == "deleted"


def test_a_product_the_job_delisted_is_offered_again() -> None:
    apply(record(), job_id=FIRST)
    with transaction.atomic():
        catalog.delist(SOURCE, [the_product().pk], SECOND)
    undo(the_product().pk)
    assert the_product().status == "published"
    assert ProductChange.objects.latest("id").kind == "restored"


def test_two_changes_of_one_job_are_taken_back_together() -> None:
    apply(record(), job_id=FIRST)
    before = stored()
    apply(record(price=Decimal("11.00")), job_id=SECOND)
    apply(record(price=Decimal("12.00"), stock=1), job_id=SECOND)
    undo(the_product().pk)
    assert stored() == before


def test_the_source_is_believed_again_when_it_says_it_again() -> None:
    apply(record(), job_id=FIRST)
    apply(record(price=Decimal("11.00")), job_id=SECOND)
    undo(the_product().pk)
    assert apply(record(price=Decimal("11.00")), job_id=LATER).updated == 1


def reason_after(*, changed: dict[str, Any] | None = None, later: dict[str, Any] | None = None) -> str:
    """Why a product stays that a second job changed, and perhaps a later one again."""
    apply(record(), job_id=FIRST)
    apply(record(**(changed or {"price": Decimal("11.00")})), job_id=SECOND)
    if later:
        apply(record(**later), job_id=LATER)
    before = stored()
    undone, skipped = undo(the_product().pk)
    assert undone == []
    assert stored() == before
    return skipped[0].reason


def test_what_somebody_changed_since_stays() -> None:
    assert reason_after(later={"price": Decimal("11.00"), "stock": 7}) == "changed_since"


def test_what_is_back_already_is_told_so() -> None:
    assert reason_after(later={"price": Decimal("9.90")}) == "already_undone"


def test_a_second_undo_finds_nothing_to_do() -> None:
    apply(record(), job_id=FIRST)
    apply(record(price=Decimal("11.00")), job_id=SECOND)
    undo(the_product().pk)
    assert undo(the_product().pk).skipped[0].reason == "already_undone"


def test_a_second_undo_of_a_creation_finds_nothing_to_do() -> None:
    apply(record(), job_id=SECOND)
    undo(the_product().pk)
    assert undo(the_product().pk).skipped[0].reason == "already_undone"


def test_a_removed_sku_could_not_come_back_as_it_was() -> None:
    assert reason_after(changed={"skus": ()}) == "skus_removed"


def test_what_the_job_did_not_touch_is_not_in_the_run() -> None:
    apply(record(), job_id=FIRST)
    assert undo(the_product().pk).skipped[0].reason == "not_in_run"
    assert undo(2**40).skipped[0].reason == "not_in_run"


def test_what_was_changed_without_a_line_is_noticed_by_its_values() -> None:
    apply(record(), job_id=FIRST)
    apply(record(price=Decimal("11.00")), job_id=SECOND)
    Product.objects.update(price=Decimal("12.00"))
    assert undo(the_product().pk).skipped[0].reason == "changed_since"


def test_what_an_operator_owns_now_stays() -> None:
    apply(record(), job_id=FIRST)
    apply(record(price=Decimal("11.00")), job_id=SECOND)
    Product.objects.update(owned_fields=["price"])
    assert undo(the_product().pk).skipped[0].reason == "owned_by_operator"


@pytest.mark.uncounted
def test_a_purged_product_is_missing() -> None:
    apply(record(), job_id=SECOND)
    product_id = the_product().pk
    Product.objects.all().delete()
    assert undo(product_id).skipped[0].reason == "missing"


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_nothing_is_put_back() -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        revert(SECOND, [1])


def test_the_ownership_a_job_ended_comes_back_with_the_value() -> None:
    apply(record(), job_id=FIRST)
    Product.objects.update(owned_fields=["title"], title="耳机", source_values={"title": "无线蓝牙耳机"})
    known = list(ownership._lookups)
    ownership.register_policies(lambda _source: {"*": "until_changed"})
    apply(record(title="新款"), job_id=SECOND)
    ownership._lookups[:] = known
    assert (the_product().title, the_product().owned_fields) == ("新款", [])
    assert undo(the_product().pk).skipped == []
    product = the_product()
    assert (product.title, product.owned_fields, product.conflicts) == ("耳机", ["title"], ["title"])
    assert product.source_values == {"title": "新款"}
