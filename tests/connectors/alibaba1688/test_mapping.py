"""From the platform's shapes to a ProductRecord."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from products.records import CategoryRef, ShopRecord
from syncjobs.connectors.alibaba1688.mapping import STATUSES, map_product, source_id_of
from syncjobs.engine.errors import RecordRejected
from tests.connectors.alibaba1688.support import Product, cross_border_product, mapped, seller_product

IMAGES = "https://cbu01.alicdn.com/img/ibank"


def rejected_field(product: Product) -> str:
    with pytest.raises(RecordRejected) as rejection:
        mapped(product)
    assert rejection.value.code == "invalid_record"
    return rejection.value.field


def test_a_seller_product_is_mapped_whole() -> None:
    record = mapped(seller_product())
    assert record.source_id == "688200417123"
    assert record.title == "✷2026春款【重磅】纯棉圆领T恤☽ 男女同款"
    assert record.description == seller_product()["description"]
    assert record.category == CategoryRef(id=1031918, names=("T恤",))
    assert record.shop == ShopRecord(source_id="2200000007731", name="石狮衣坊", location="福建省 泉州市 石狮市")
    assert (record.stock, record.min_order_quantity, record.unit, record.sold_count) == (612, 3, "件", 5023)
    assert record.images == (f"{IMAGES}/O1CN01ccM1.jpg", f"{IMAGES}/O1CN01ccM2.jpg")
    assert record.attributes == {"品牌": "拾光里", "颜色": ["藏青", "米白"]}
    assert record.status == "published"
    assert record.url == "https://detail.1688.com/offer/688200417123.html"
    assert record.source_updated_at == datetime(2026, 3, 18, 15, 30, tzinfo=UTC)


def test_the_skus_of_a_seller_product_are_mapped() -> None:
    navy, white = mapped(seller_product()).skus
    assert (navy.source_sku_id, navy.spec_id) == ("5203318840111", "91b1c2f07d3a4c0f9f0d6c7b8a9e0f11")
    assert (navy.code, navy.spec, navy.stock) == ("T26-N-XL", {"颜色": "藏青", "尺码": "XL"}, 612)
    assert navy.image == f"{IMAGES}/O1CN01ccNAVY.jpg"
    assert (white.code, white.spec, white.stock, white.image) == ("T26-W", {"颜色": "米白"}, 0, "")


def test_a_cross_border_product_is_mapped_whole() -> None:
    record = mapped(cross_border_product())
    assert (record.source_id, record.title) == ("790011223344", "头戴式感应头灯 强光夜钓")
    assert record.category == CategoryRef(id=201273473, names=("户外照明",))
    assert record.shop == ShopRecord(
        source_id="BBBtest000000000000000000000001", name="宁海示例户外用品厂", location="浙江省宁波市"
    )
    assert (record.stock, record.min_order_quantity, record.unit, record.sold_count) == (77, 2, "个", 8123)
    assert record.images == (f"{IMAGES}/O1CN01ddM1.jpg",)
    assert record.attributes == {"防水等级": "IPX5"}
    assert record.source_updated_at is None
    assert [(sku.spec, sku.image) for sku in record.skus] == [({"颜色": "黑"}, f"{IMAGES}/O1CN01ddB.jpg"), ({}, "")]


def test_a_product_with_nothing_but_id_and_title_is_one() -> None:
    record = mapped({"productID": "688200417123", "subject": "T恤"})
    assert (record.source_id, record.price, record.stock, record.min_order_quantity) == ("688200417123", None, 0, 1)
    assert (record.category, record.shop, record.skus, record.status) == (None, None, (), "published")


@pytest.mark.parametrize(
    "name", ["attributes", "groupID", "skuInfos", "saleInfo", "image", "shippingInfo", "description"]
)
def test_null_is_the_same_as_missing(name: str) -> None:
    product = seller_product()
    without = {key: value for key, value in product.items() if key != name}
    assert mapped(product | {name: None}) == mapped(without)


def test_unknown_fields_do_not_matter() -> None:
    product = seller_product()
    assert mapped(product | {"brandNewField": {"a": [None, 1e30]}}) == mapped(product)


@pytest.mark.parametrize("word", STATUSES)
def test_every_status_of_the_platform_has_ours(word: str) -> None:
    assert mapped(seller_product() | {"status": word.upper()}).status == STATUSES[word]


def test_an_unknown_status_is_rejected_and_not_guessed() -> None:
    assert rejected_field(seller_product() | {"status": "frozen by court"}) == "status"


@pytest.mark.parametrize("title", [None, "", "  ", "\u200b\ufeff", "\u0000"])
def test_a_product_without_a_title_is_rejected(title: Any) -> None:
    assert rejected_field(seller_product() | {"subject": title}) == "subject"


def test_a_title_too_long_to_store_is_rejected() -> None:
    assert mapped(seller_product() | {"subject": "长" * 500}).title == "长" * 500
    assert rejected_field(seller_product() | {"subject": "长" * 501}) == "subject"


def test_a_title_is_trimmed_and_keeps_its_ornaments() -> None:
    assert mapped(seller_product() | {"subject": "\u3000 ✷☽【５折】👕\u200b "}).title == "✷☽【５折】👕"


def test_what_postgresql_cannot_store_is_taken_out() -> None:
    record = mapped(seller_product() | {"subject": "a\u0000b", "description": " <p>\u0000</p> "})
    assert (record.title, record.description) == ("ab", " <p></p> ")


def test_half_a_surrogate_pair_is_replaced() -> None:
    written = {"@1": "\\ud83d\\u0041", "@2": "\\udc55", "@3": "\\ud83d\\udc55", "@4": "\\\\ud83d", "@5": "\\ud83d"}
    payload = json.dumps(seller_product() | {"subject": "".join(written)})
    for mark, escape in written.items():
        payload = payload.replace(mark, escape)
    assert map_product(payload.encode()).title == "\ufffdA\ufffd👕\\ud83d\ufffd"


@pytest.mark.parametrize("product_id", [None, "", "abc", 1.5, True, [1], {"a": 1}, "１２３", "1" * 31, -5])
def test_a_product_without_a_usable_id_is_rejected(product_id: Any) -> None:
    product = seller_product() | {"productID": product_id}
    assert rejected_field(product) == "productID"
    assert source_id_of(json.dumps(product).encode()) is None


@pytest.mark.parametrize("product_id", [688200417123, "688200417123", " 688200417123 "])
def test_an_id_may_be_a_number_or_text(product_id: Any) -> None:
    product = seller_product() | {"productID": product_id}
    assert mapped(product).source_id == source_id_of(json.dumps(product).encode()) == "688200417123"


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("saleInfo", [], "saleInfo"),
        ("skuInfos", {"0": {}}, "skuInfos"),
        ("skuInfos", ["x"], "skuInfos[0]"),
        ("image", "a.jpg", "image"),
        ("attributes", "品牌", "attributes"),
        ("subject", {"zh": "T恤"}, "subject"),
        ("description", ["<p>"], "description"),
        ("categoryID", "女装", "categoryID"),
        ("bookedCount", "many", "bookedCount"),
        ("modifyTime", "yesterday", "modifyTime"),
        ("modifyTime", "20261345000000000+0800", "modifyTime"),
        ("supplierUserId", {"id": 1}, "supplierUserId"),
        ("status", ["published"], "status"),
    ],
)
def test_a_value_of_another_kind_rejects_the_record_and_names_the_field(name: str, value: Any, field: str) -> None:
    assert rejected_field(seller_product() | {name: value}) == field


@pytest.mark.parametrize(
    ("image", "stored"),
    [
        ("img/ibank/a.jpg", f"{IMAGES}/a.jpg"),
        ("/img/ibank/a.jpg", f"{IMAGES}/a.jpg"),
        ("//cbu01.alicdn.com/img/ibank/a.jpg", f"{IMAGES}/a.jpg"),
        ("http://img.china.alibaba.com/a.jpg", "http://img.china.alibaba.com/a.jpg"),
        ("javascript:alert(1)", None),
        ("data:image/png;base64,AA", None),
        ("ftp://cbu01.alicdn.com/a.jpg", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_only_web_addresses_become_images(image: Any, stored: str | None) -> None:
    record = mapped(seller_product() | {"image": {"images": [image]}})
    assert record.images == ((stored,) if stored else ())


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("20251118091205000+0800", datetime(2025, 11, 18, 1, 12, 5, tzinfo=UTC)),
        ("20251118091205250-0700", datetime(2025, 11, 18, 16, 12, 5, 250_000, tzinfo=UTC)),
        ("20251118091205+0800", datetime(2025, 11, 18, 1, 12, 5, tzinfo=UTC)),
        ("2025-11-18 09:12:05", datetime(2025, 11, 18, 1, 12, 5, tzinfo=UTC)),
        ("1763428325000", datetime(2025, 11, 18, 1, 12, 5, tzinfo=UTC)),
        (1763428325000, datetime(2025, 11, 18, 1, 12, 5, tzinfo=UTC)),
        ("", None),
        (None, None),
    ],
)
def test_every_date_shape_of_the_platform_is_read(value: Any, moment: datetime | None) -> None:
    product = seller_product() | {"modifyTime": value, "lastUpdateTime": None}
    assert mapped(product).source_updated_at == moment


@pytest.mark.parametrize(
    ("stock", "stored"), [(24000.0, 24000), (12.9, 12), ("77", 77), (-3, 0), (-0.5, 0), ("", 0), (None, 612)]
)
def test_stock_is_a_whole_number_and_never_negative(stock: Any, stored: int) -> None:
    product = seller_product()
    product["saleInfo"]["amountOnSale"] = stock
    assert mapped(product).stock == stored


@pytest.mark.parametrize(("minimum", "stored"), [(0, 1), (-1, 1), (None, 1), ("5", 5), (2.0, 2)])
def test_a_minimum_order_is_at_least_one(minimum: Any, stored: int) -> None:
    product = seller_product()
    product["saleInfo"]["minOrderQuantity"] = minimum
    assert mapped(product).min_order_quantity == stored


def test_a_minimum_order_nobody_can_store_is_rejected() -> None:
    product = seller_product()
    product["saleInfo"]["minOrderQuantity"] = 2**31
    assert rejected_field(product) == "saleInfo.minOrderQuantity"


def test_a_sku_is_known_by_its_spec_id_when_it_has_no_other() -> None:
    product = seller_product()
    del product["skuInfos"][0]["skuId"]
    assert mapped(product).skus[0].source_sku_id == "91b1c2f07d3a4c0f9f0d6c7b8a9e0f11"


def test_a_sku_without_any_id_is_rejected() -> None:
    product = seller_product()
    product["skuInfos"][0] |= {"skuId": None, "specId": ""}
    assert rejected_field(product) == "skuInfos.skuId"


def test_of_a_repeated_sku_the_last_one_counts() -> None:
    product = seller_product()
    product["skuInfos"].append(product["skuInfos"][0] | {"amountOnSale": 5})
    assert [sku.stock for sku in mapped(product).skus] == [5, 0]


def test_a_shop_without_a_number_is_known_by_its_login() -> None:
    product = seller_product()
    del product["supplierUserId"]
    assert mapped(product).shop.source_id == "石狮衣坊"


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"subject":"\xff"}', b"[" * 100_000, b'{"subject":' * 5_000],
)
def test_bytes_that_are_no_product_are_rejected(payload: bytes) -> None:
    with pytest.raises(RecordRejected):
        map_product(payload)


def test_the_same_bytes_have_the_same_fingerprint() -> None:
    assert mapped(seller_product()).fingerprint() == mapped(seller_product()).fingerprint()
    assert mapped(seller_product()).fingerprint() != mapped(seller_product() | {"subject": "T恤"}).fingerprint()
