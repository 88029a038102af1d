"""products/{id}/skus."""

from decimal import Decimal
from typing import Any

import pytest

from products.models import Product, ProductChange, Sku
from products.services import skus as services
from system.models import AuditLog
from tests.client import ApiClient
from tests.products.bodies import own
from tests.products.records import apply, record, sku

pytestmark = pytest.mark.django_db

BLACK = {"code": "BLACK", "spec": {"颜色": "黑色"}, "price": 9.9, "stock": 60, "image": "https://a.example/b.jpg"}


def made(writer: ApiClient, product: Product, **told: Any) -> dict[str, Any]:
    """A SKU made through the API."""
    answer: dict[str, Any] = writer.post(f"products/{product.pk}/skus", BLACK | told, expect=201)
    return answer


@pytest.mark.shows("002/POST items/skus", "002/GET items/skus")
def test_a_sku_is_made_and_read(writer: ApiClient) -> None:
    product = own()

    black = made(writer, product)

    assert {name: black[name] for name in BLACK} == BLACK
    assert black["source_sku_id"].startswith("own-")
    path = f"products/{product.pk}/skus/{black['id']}"
    assert writer.last.headers["Location"] == f"/api/v1/{path}"
    assert writer.get(path) == black
    assert writer.get(f"products/{product.pk}/skus")["items"] == [black]
    assert [shown["id"] for shown in writer.get(f"products/{product.pk}")["skus"]] == [black["id"]]


def test_they_are_listed_in_their_order_by_pages(writer: ApiClient) -> None:
    product = own()
    ids = [made(writer, product, code=code)["id"] for code in ("c", "a", "b")]

    first = writer.get(f"products/{product.pk}/skus", page_size=2)
    rest = writer.get(f"products/{product.pk}/skus", page_size=2, cursor=first["next_cursor"])

    assert [shown["id"] for shown in first["items"] + rest["items"]] == ids
    assert (first["total"], rest["next_cursor"]) == (3, None)
    assert writer.get(f"products/{product.pk}/skus", limit=1, offset=1)["items"][0]["id"] == ids[1]


@pytest.mark.shows("002/DELETE items/skus")
def test_a_sku_is_changed_replaced_and_removed(writer: ApiClient) -> None:
    product = own()
    path = f"products/{product.pk}/skus/{made(writer, product)['id']}"

    assert writer.patch(path, {"stock": 5})["code"] == "BLACK"
    replaced = writer.put(path, {"code": "RED"})
    writer.delete(path)

    assert (replaced["code"], replaced["spec"], replaced["price"], replaced["stock"]) == ("RED", {}, None, 0)
    writer.get(path, expect=404)
    writer.delete(path, expect=404)
    assert [line.action for line in AuditLog.objects.filter(action__startswith="sku").order_by("id")] == [
        "sku.create",
        "sku.update",
        "sku.update",
        "sku.delete",
    ]


def test_a_change_of_a_sku_is_a_change_of_its_product(writer: ApiClient) -> None:
    product = own(price=Decimal("20.00"))
    black = made(writer, product)
    made(writer, product, code="WHITE", stock=5, price=30)

    writer.patch(f"products/{product.pk}/skus/{black['id']}", {"stock": 6})

    shown = writer.get(f"products/{product.pk}")
    assert [shown[name] for name in ("version", "stock", "price", "price_min", "price_max")] == [4, 11, 20, 9.9, 30]
    line = ProductChange.objects.order_by("id").last()
    assert line is not None
    key = black["source_sku_id"]
    assert line.fields == {"stock": [65, 11], "skus": [{key: {"stock": 60}}, {key: {"stock": 6}}]}


def test_what_changes_nothing_is_not_written(writer: ApiClient) -> None:
    product = own()
    path = f"products/{product.pk}/skus/{made(writer, product)['id']}"

    writer.patch(path, {})
    writer.put(path, BLACK)

    assert writer.get(f"products/{product.pk}")["version"] == 2


def test_the_stock_of_a_product_is_that_of_its_skus(writer: ApiClient) -> None:
    product = own(stock=100)
    path = f"products/{product.pk}"
    black = made(writer, product)

    error = writer.patch(path, {"stock": 61}, expect=422)
    writer.patch(path, {"stock": 60})
    writer.put(path, {"sku": "x", "title": "y"})

    assert (error["code"], list(error["details"])) == ("E01010", ["stock"])
    assert writer.get(path)["stock"] == 60
    writer.delete(f"{path}/skus/{black['id']}")
    assert writer.get(path)["stock"] == 0
    writer.patch(path, {"stock": 61})


def test_a_code_is_given_once_in_a_product(writer: ApiClient) -> None:
    product, other = own("a"), own("b")
    made(writer, product)
    white = made(writer, product, code="WHITE")

    made(writer, other)
    nameless = [made(writer, product, code="", spec={"n": str(n)}) for n in range(2)]
    for call, path in [(writer.post, "skus"), (writer.patch, f"skus/{white['id']}")]:
        error = call(f"products/{product.pk}/{path}", {"code": "BLACK"}, expect=409)
        assert (error["code"], list(error["details"])) == ("E01009", ["code"])
    assert len(nameless) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("code", "x" * 101),
        ("code", 5),
        ("spec", []),
        ("spec", {"颜色": 5}),
        ("spec", {"颜色": "x" * 201}),
        ("spec", {"": "x"}),
        ("price", "9.9"),
        ("price", -1),
        ("price", 0.001),
        ("stock", -1),
        ("stock", 2**31),
        ("stock", True),
        ("image", "javascript:alert(1)"),
        ("price_tiers", [{"start_quantity": 2, "price": 1}, {"start_quantity": 1, "price": 2}]),
        ("id", 5),
        ("source_sku_id", "x"),
        ("spec_id", "x"),
        ("product_id", 5),
        ("position", 5),
    ],
)
def test_a_value_that_cannot_be_is_named(writer: ApiClient, name: str, value: Any) -> None:
    error = writer.post(f"products/{own().pk}/skus", BLACK | {name: value}, expect=400)

    assert list(error["details"]) == [name]
    assert not Sku.objects.exists()


def test_a_sku_has_a_code_or_properties(writer: ApiClient) -> None:
    product = own()
    black = made(writer, product)

    for call, path in [(writer.post, "skus"), (writer.put, f"skus/{black['id']}")]:
        assert "code" in call(f"products/{product.pk}/{path}", {"stock": 1}, expect=400)["details"]
    assert (
        "code"
        in writer.patch(f"products/{product.pk}/skus/{black['id']}", {"code": "", "spec": {}}, expect=400)["details"]
    )


@pytest.mark.parametrize("sku_id", ["0", "abc", "9999999999999999999", "1e3"])
def test_an_unknown_sku_is_not_found(writer: ApiClient, sku_id: str) -> None:
    product, other = own("a"), own("b")
    foreign = made(writer, other)["id"]

    for number in (sku_id, foreign):
        path = f"products/{product.pk}/skus/{number}"
        writer.get(path, expect=404)
        for call in (writer.put, writer.patch):
            call(path, BLACK, expect=404)
        writer.delete(path, expect=404)


def test_the_skus_of_a_deleted_product_are_not_found(writer: ApiClient) -> None:
    product = own()
    black = made(writer, product)
    writer.delete(f"products/{product.pk}")

    writer.get(f"products/{product.pk}/skus", expect=404)
    writer.get(f"products/{product.pk}/skus/{black['id']}", expect=404)
    writer.post(f"products/{product.pk}/skus", BLACK, expect=404)


def test_a_product_has_so_many_skus_at_most(writer: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MAX_SKUS", 1)
    product = own()
    made(writer, product)

    error = writer.post(f"products/{product.pk}/skus", {"code": "WHITE"}, expect=409)

    assert (error["code"], error["details"]) == ("E01012", {"limit": 1})


def test_the_etag_of_a_sku_is_stale_when_its_product_changed(writer: ApiClient) -> None:
    product = own()
    path = f"products/{product.pk}/skus/{made(writer, product)['id']}"
    writer.get(path)
    old = writer.last.headers["ETag"]
    writer.patch(path, {"stock": 1}, headers={"If-Match": old})

    assert writer.put(path, BLACK, headers={"If-Match": old}, expect=412)["code"] == "E00011"
    assert writer.delete(path, headers={"If-Match": old}, expect=412)["code"] == "E00011"


def test_the_skus_of_a_synced_product_belong_to_the_operator_once_changed(writer: ApiClient) -> None:
    apply(record(skus=(sku("1"), sku("2"))))
    product = Product.objects.get()
    first = Sku.objects.get(source_sku_id="1")

    writer.patch(f"products/{product.pk}/skus/{first.pk}", {"stock": 3})
    apply(record(title="newer", stock=7, skus=(sku("2", stock=99),)))

    product.refresh_from_db()
    assert (product.title, product.stock, product.owned_fields) == ("newer", 7, ["skus"])
    assert dict(Sku.objects.values_list("source_sku_id", "stock")) == {"1": 3, "2": 10}
