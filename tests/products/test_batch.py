"""POST products/batch."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from products.models import Product, ProductChange, Sku
from system.models import AuditLog
from tests.client import ApiClient
from tests.products.bodies import body, category, own, shop
from tests.products.records import apply, record

pytestmark = pytest.mark.django_db


def create(sku: str, **told: Any) -> dict[str, Any]:
    """An operation that makes a product."""
    return {"op": "create", "data": body(sku=sku, **told)}


def run(writer: ApiClient, *operations: dict[str, Any], policy: str = "reject_failed") -> list[dict[str, Any]]:
    """The results of a batch that was done."""
    results: list[dict[str, Any]] = writer.post("products/batch", {"policy": policy, "operations": operations})[
        "results"
    ]
    return results


@pytest.mark.shows("000/2 POST products/batch")
def test_everything_can_be_done_in_one_call(writer: ApiClient) -> None:
    first, second, third, fourth = (own(f"own-{n}", price=Decimal("5.00")) for n in range(4))

    results = run(
        writer,
        create("new"),
        {"op": "update", "id": first.pk, "data": {"stock": 80}},
        {"op": "delete", "sku": second.sku},
        {"op": "publish", "id": third.pk},
        {"op": "disable", "sku": fourth.sku},
    )

    new = Product.objects.get(sku="new")
    assert [(result["op"], result["id"], result["status"], result["error"]) for result in results] == [
        ("create", new.pk, 201, None),
        ("update", first.pk, 200, None),
        ("delete", second.pk, 204, None),
        ("publish", third.pk, 200, None),
        ("disable", fourth.pk, 200, None),
    ]
    assert [(result["index"], result["path"]) for result in results] == [(n, f"operations[{n}]") for n in range(5)]
    states = Product.objects.filter(sku__startswith="own").order_by("id").values_list("stock", "status", "version")
    assert list(states) == [(80, "draft", 2), (0, "draft", 2), (0, "published", 2), (0, "disabled", 2)]
    assert Product.objects.get(pk=second.pk).deleted_at is not None
    assert ProductChange.objects.filter(product_id=new.pk, kind="created").count() == 1
    assert set(AuditLog.objects.filter(target_type="product").values_list("action", flat=True)) == {
        *("product.create", "product.update", "product.delete", "product.publish", "product.disable")
    }


FAILING = [create("good"), create("bad", price=0.001), create("category", category="不存在"), create("taken")]


def test_reject_all_does_all_or_nothing(writer: ApiClient) -> None:
    own("taken")

    error = writer.post("products/batch", {"policy": "reject_all", "operations": FAILING}, expect=422)

    assert error["code"] == "E01006"
    results = error["details"]["results"]
    assert [result["status"] for result in results] == [424, 400, 422, 409]
    assert [result["error"] and result["error"]["code"] for result in results] == [None, "E00002", "E01002", "E01001"]
    assert Product.objects.count() == ProductChange.objects.count() == 1


def test_reject_failed_does_the_others_and_names_what_was_wrong(writer: ApiClient) -> None:
    own("taken")

    results = run(writer, *FAILING, {"op": "publish", "id": 404}, {"op": "delete", "sku": "nobody"})

    assert [result["status"] for result in results] == [201, 400, 422, 409, 404, 404]
    assert [result["path"] for result in results] == [
        "operations[0]",
        "operations[1].data.price",
        "operations[2].data.category",
        "operations[3].data.sku",
        "operations[4].id",
        "operations[5].sku",
    ]
    assert list(results[1]["error"]["details"]) == ["operations[1].data.price"]
    assert list(results[3]["error"]["details"]) == ["operations[3].data.sku"]
    assert set(Product.objects.values_list("sku", flat=True)) == {"taken", "good"}


def test_ignore_failed_leaves_a_refused_field_out(writer: ApiClient) -> None:
    kept = own("kept", stock=1)

    results = run(
        writer,
        create("a", price=0.001, category="不存在", nonsense=1),
        create("", title="no sku"),
        create("b", price_tiers=[{"start_quantity": 1, "price": 1}, {"start_quantity": 1, "price": 1}]),
        {"op": "update", "id": kept.pk, "data": {"stock": -1, "title": "new"}},
        {"op": "update", "sku": "nobody", "data": {"stock": 1}},
        policy="ignore_failed",
    )

    assert [result["status"] for result in results] == [201, 400, 201, 200, 404]
    assert set(results[0]["error"]["details"]) == {
        "operations[0].data.price",
        "operations[0].data.category",
        "operations[0].data.nonsense",
    }
    made = Product.objects.get(sku="a")
    assert (made.price, made.category_id, made.stock) == (None, None, 100)
    kept.refresh_from_db()
    assert (kept.title, kept.stock) == ("new", 1)


def test_an_operation_of_which_nothing_is_left_fails(writer: ApiClient) -> None:
    kept = own()

    (result,) = run(writer, {"op": "update", "id": kept.pk, "data": {"stock": -1}}, policy="ignore_failed")

    assert (result["status"], result["path"]) == (400, "operations[0].data.stock")


def test_nested_mistakes_have_their_whole_path(writer: ApiClient) -> None:
    tiers = [{"start_quantity": 1, "price": 1}, {"start_quantity": 2, "price": -1}]

    (result,) = run(writer, create("a", price_tiers=tiers))

    assert result["path"] == "operations[0].data.price_tiers[1].price"


def test_a_product_is_published_only_with_a_price(writer: ApiClient) -> None:
    product = own()

    (result,) = run(writer, {"op": "publish", "id": product.pk})

    assert (result["status"], result["id"], result["error"]["code"]) == (422, product.pk, "E01005")


def test_a_sku_that_several_products_bear_is_ambiguous(writer: ApiClient) -> None:
    apply(record())
    apply(record(), source="another")

    (result,) = run(writer, {"op": "delete", "sku": "1688-600000000001"})

    assert (result["status"], result["error"]["code"]) == (409, "E01011")


@pytest.mark.parametrize(
    ("operations", "places"),
    [
        ([create("a"), create("b"), create("a")], ["operations[0].data.sku", "operations[2].data.sku"]),
        ([{"op": "delete", "id": 5}, {"op": "publish", "id": 5}], ["operations[0].id", "operations[1].id"]),
        ([{"op": "delete", "sku": "a"}, create("a")], ["operations[0].sku", "operations[1].data.sku"]),
    ],
)
def test_a_product_meant_twice_is_refused_by_both_places(
    writer: ApiClient, operations: list[dict[str, Any]], places: list[str]
) -> None:
    error = writer.post("products/batch", {"policy": "reject_failed", "operations": operations}, expect=400)

    assert sorted(error["details"]) == places
    assert not Product.objects.exists()


def test_a_product_meant_by_id_and_by_sku_is_meant_twice(writer: ApiClient) -> None:
    product = own("a")
    operations = [{"op": "publish", "id": product.pk}, {"op": "delete", "sku": "a"}]

    error = writer.post("products/batch", {"policy": "reject_failed", "operations": operations}, expect=400)

    assert sorted(error["details"]) == ["operations[0]", "operations[1]"]


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"operations": []},
        {"operations": {}},
        {"operations": "x"},
        {"operations": None},
        {"operations": [5]},
        {"operations": [create(str(n)) for n in range(251)]},
        {"operations": [create("a")], "policy": "all"},
        {"operations": [create("a")], "policy": None},
        {"operations": [create("a")], "dry_run": True},
        {"operations": [{"op": "drop", "id": 1}]},
        {"operations": [{"id": 1}]},
        {"operations": [{"op": "update", "id": 1}]},
        {"operations": [{"op": "update", "id": 1, "data": []}]},
        {"operations": [{"op": "update", "data": {}}]},
        {"operations": [{"op": "update", "id": 1, "sku": "a", "data": {}}]},
        {"operations": [{"op": "update", "id": "1", "data": {}}]},
        {"operations": [{"op": "delete", "id": 0}]},
        {"operations": [{"op": "delete", "id": 1, "data": {}}]},
        {"operations": [{"op": "create", "id": 1, "data": {}}]},
        {"operations": [{"op": "create"}]},
        {"operations": [{"op": "delete", "id": 1, "path": "x"}]},
    ],
)
def test_a_batch_of_another_form_is_refused_whole(writer: ApiClient, sent: dict[str, Any]) -> None:
    assert writer.post("products/batch", sent, expect=400)["code"] == "E00002"
    assert not Product.objects.exists()


def test_the_cost_does_not_grow_with_the_batch(writer: ApiClient) -> None:
    told = {"category": "耳机", "shop_id": shop().pk}
    category(7, "耳机")
    products = [own(str(number)) for number in range(250)]
    Sku.objects.create(product=products[0], code="a", stock=5)
    run(writer, create("warm"))

    counts = []
    for some in (products[:2], products[2:]):
        with CaptureQueriesContext(connection) as queries:
            updates = [{"op": "update", "id": product.pk, "data": told | {"sku": f"n{product.pk}"}} for product in some]
            results = run(writer, *updates, create(f"new-{len(some)}"))
        assert {result["status"] for result in results} == {200, 201}
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 16


def test_a_large_body_is_taken_and_a_larger_one_is_not(writer: ApiClient) -> None:
    results = run(writer, *(create(str(n), description="x" * 8_000) for n in range(250)))

    assert len(results) == 250
    big = [create(str(n), description="x" * 22_000) for n in range(250)]
    assert writer.post("products/batch", {"operations": big}, expect=413)["code"] == "E00014"


def test_fields_of_a_synced_product_become_the_operators(writer: ApiClient) -> None:
    apply(record("1"), record("2"))
    ids = Product.objects.order_by("id").values_list("id", flat=True)

    run(writer, *({"op": "update", "id": product_id, "data": {"title": "ours"}} for product_id in ids))
    apply(record("1", title="newer", stock=1), record("2", title="newer"))

    assert list(Product.objects.values_list("title", "owned_fields").distinct()) == [("ours", ["title"])]


def test_readers_may_not_write_batches(api: ApiClient, plain_user: Any) -> None:
    plain_user.tier = "premium"
    plain_user.save()

    api.as_(plain_user).post("products/batch", {"operations": [create("a")]}, expect=403)
