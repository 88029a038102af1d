"""POST products."""

from typing import Any

import pytest

from accounts.models import User
from products.models import Product, ProductChange
from system.models import AuditLog
from tests.client import ApiClient
from tests.products.bodies import SEED, body, category, own, shop
from tests.products.records import apply, record

pytestmark = pytest.mark.django_db


@pytest.mark.shows("000/2 POST products", "002/POST items", "003/FR-002")
def test_the_printed_product_is_created(writer: ApiClient) -> None:
    category(123456, "电子产品")

    made = writer.post("products", SEED, expect=201)

    assert {name: made[name] for name in SEED} == SEED
    assert (made["category_id"], made["status"], made["source"], made["version"]) == (123456, "draft", "", 1)
    assert writer.last.headers["Location"] == f"/api/v1/products/{made['id']}"
    assert writer.get(f"products/{made['id']}") == made


def test_every_field_that_can_be_written_is_kept(writer: ApiClient) -> None:
    category(7, "数码", "耳机")
    told = body(
        description="<p>降噪</p>\n第二行",
        price_tiers=[{"start_quantity": 2, "price": 99.99}, {"start_quantity": 100, "price": 79.9}],
        currency="USD",
        min_order_quantity=2,
        unit="件",
        images=["http://a.example/1.jpg", "https://[2001:db8::1]:8443/图.jpg?x=1#y"],
        attributes={"颜色": ["红", "蓝"], "__proto__": {"$where": 1}, "constructor": None, "x": {"y": [1.5, True]}},
        category_id=7,
        shop_id=shop().pk,
        url="https://shop.example.com/offer/1",
    )

    made = writer.post("products", told, expect=201)

    assert made["shop"]["id"] == told.pop("shop_id")
    assert {name: made[name] for name in told} == told
    assert (made["price_min"], made["price_max"], made["category_path"]) == (79.9, 99.99, "数码 / 耳机")


def test_what_is_left_out_has_a_default(writer: ApiClient) -> None:
    made = writer.post("products", {"sku": "a", "title": "b"}, expect=201)

    named = ["price", "price_min", "price_max", "price_tiers", "stock", "min_order_quantity", "currency", "category_id"]
    assert [made[name] for name in named] == [None, None, None, [], 0, 1, "CNY", None]
    assert [made[name] for name in ("description", "unit", "url", "images", "attributes")] == ["", "", "", [], {}]


def test_a_new_product_is_told_to_the_feed_and_the_audit_log(writer: ApiClient, operator: User) -> None:
    made = writer.post("products", body(), expect=201)

    line = ProductChange.objects.get()
    assert (line.product_id, line.kind, line.fields, line.job_id) == (made["id"], "created", {}, None)
    log = AuditLog.objects.get(action="product.create")
    assert (log.user_id, log.target_id, log.after) == (
        operator.pk,
        str(made["id"]),
        {"sku": "SKU123456", "title": "产品标题"},
    )


@pytest.mark.parametrize(
    "named", [{"category": "数码 / 耳机"}, {"category": "耳机", "category_id": 7}, {"category": "音箱"}]
)
def test_a_category_is_named_by_its_path_or_by_its_name(writer: ApiClient, named: dict[str, Any]) -> None:
    category(7, "数码", "耳机")
    category(8, "旧货", "耳机")
    category(9, "数码", "音箱")

    made = writer.post("products", body(**named), expect=201)

    assert made["category_id"] == (9 if named == {"category": "音箱"} else 7)


@pytest.mark.parametrize(
    ("named", "field"),
    [
        ({"category": "耳机"}, "category"),
        ({"category": "不存在"}, "category"),
        ({"category_id": 404}, "category_id"),
        ({"category": "数码 / 耳机", "category_id": 8}, "category"),
        ({"category": "数码 / 耳机", "category_id": None}, "category"),
        ({"category": None, "category_id": 7}, "category"),
    ],
)
def test_an_unknown_or_ambiguous_category_is_impossible(writer: ApiClient, named: dict[str, Any], field: str) -> None:
    category(7, "数码", "耳机")
    category(8, "旧货", "耳机")

    error = writer.post("products", body(**named), expect=422)

    assert error["code"] == "E01002"
    assert field in error["details"]
    assert not Product.objects.exists()


def test_an_ambiguous_category_says_between_which(writer: ApiClient) -> None:
    category(7, "数码", "耳机")
    category(8, "旧货", "耳机")

    error = writer.post("products", body(category="耳机"), expect=422)

    assert error["details"]["candidates"] == [{"id": 7, "path": "数码 / 耳机"}, {"id": 8, "path": "旧货 / 耳机"}]


def test_an_unknown_shop_is_impossible(writer: ApiClient) -> None:
    error = writer.post("products", body(shop_id=404), expect=422)

    assert (error["code"], list(error["details"])) == ("E01003", ["shop_id"])


def test_a_sku_is_given_once(writer: ApiClient) -> None:
    own("SKU123456")
    apply(record("600000000001"))

    for taken in ("SKU123456", " SKU123456\u200b", "1688-600000000001"):
        assert writer.post("products", body(sku=taken), expect=409)["code"] == "E01001"
    assert Product.objects.count() == 2


def test_the_sku_of_a_deleted_product_is_free(writer: ApiClient) -> None:
    writer.delete(f"products/{own('SKU123456').pk}")

    writer.post("products", body(sku="SKU123456"), expect=201)


@pytest.mark.parametrize(
    "title",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{{7*7}}",
        '=HYPERLINK("http://evil.example")',
        "\u202etxt.exe",
        "a" + "\u0301" * 499,
        "👨‍👩‍👧",
    ],
)
def test_hostile_text_is_kept_as_data(writer: ApiClient, title: str) -> None:
    made = writer.post("products", body(title=title), expect=201)

    assert Product.objects.get().title == made["title"]
    assert len(made["title"]) <= len(title)


def test_text_is_composed_and_trimmed(writer: ApiClient) -> None:
    made = writer.post("products", body(title="\u200b cafe\u0301 \ufeff", sku="\t A 1\u3000"), expect=201)

    assert (made["title"], made["sku"]) == ("café", "A 1")


def test_a_title_is_inert_in_the_back_office(writer: ApiClient, admin: User, client: Any) -> None:
    made = writer.post("products", body(title="<script>alert(1)</script>"), expect=201)
    client.force_login(admin)

    page = client.get(f"/admin/products/product/{made['id']}/change/").content.decode()

    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
