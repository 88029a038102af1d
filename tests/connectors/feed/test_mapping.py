"""The mapping language: where values come from, and what becomes of odd ones."""

from decimal import Decimal
from typing import Any

import pytest

from products.models import Product
from products.records import CategoryRef, PriceTier, ProductRecord, ShopRecord
from syncjobs.connectors.feed.mapping import STATUSES, Mapping
from syncjobs.engine.errors import FatalSourceError, RecordRejected

BASE: dict[str, Any] = {"id": "id", "title": "title"}
RECORD: dict[str, Any] = {"id": 1, "title": "布"}


def product(mapping: dict[str, Any], **record: Any) -> ProductRecord:
    return Mapping(BASE | mapping).product(RECORD | record)


def test_statuses_are_those_of_the_catalogue() -> None:
    assert set(Product.Status.values) == STATUSES


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("a.b.0.c", "x"),
        ("a.b.-1.c", "y"),
        ("a.b.7.c", ""),
        ("a.0", ""),
        ("d\\.e", "dotted"),
        (["none", "blank", "zero", "d\\.e"], "0"),
        ({"path": ["none", "blank"], "default": "z"}, "z"),
        ({"const": "k"}, "k"),
        ({"path": "on", "map": {"1": "yes", "true": "so"}}, "so"),
        ({"path": "zero", "map": {"1": "yes"}, "default": "no"}, "no"),
        ({"path": "zero", "prefix": "n-"}, "n-0"),
        ({"path": "list", "invalid": "ignore"}, ""),
    ],
)
def test_a_value_is_found(value: object, found: str) -> None:
    record = {"a": {"b": [{"c": "x"}, {"c": "y"}]}, "d.e": "dotted", "blank": " ", "none": None, "zero": 0, "on": True}
    assert product({"unit": value}, list=[1], **record).unit == found


@pytest.mark.parametrize(
    ("mapping", "key"),
    [
        ({"titel": "x"}, "titel"),
        ({"id": 5}, "id"),
        ({"id": ""}, "id"),
        ({"id": []}, "id"),
        ({"price": {"path": "p", "currency": "x"}}, "price.currency"),
        ({"price": {"path": "p", "invalid": "zero"}}, "price.invalid"),
        ({"price": {}}, "price"),
        ({"price": {"path": "p", "const": 1}}, "price"),
        ({"price": ["p", "a..b"]}, "price[1]"),
        ({"images": {"path": "p", "split": ""}}, "images.split"),
        ({"images": {"path": "p", "prefix": 1}}, "images.prefix"),
        ({"status": {"path": "p", "map": ["a"]}}, "status.map"),
        ({"price_tiers": "p"}, "price_tiers"),
        ({"price_tiers": {"each": "p"}}, "price_tiers.fields"),
        ({"price_tiers": {"each": "p", "fields": {"price": "p"}}}, "price_tiers.fields.start_quantity"),
        ({"skus": {"each": "p", "fields": {"id": "i", "colour": "c"}}}, "skus.fields.colour"),
        ({"skus": {"each": "p", "fields": 3}}, "skus.fields"),
        ({"skus": {"each": "p", "fields": {"id": "i", "spec": {"each": "x"}}}}, "skus.fields.spec."),
        ({"attributes": {"each": "p", "name": "n"}}, "attributes.value"),
        ({"category": {"levels": "a"}}, "category.levels"),
        ({"category": {"number": "a"}}, "category.number"),
        ({"shop": {"name": "a"}}, "shop.id"),
    ],
)
def test_a_wrong_mapping_names_the_key(mapping: dict[str, Any], key: str) -> None:
    with pytest.raises(FatalSourceError) as error:
        Mapping(BASE | mapping)
    assert error.value.code == "invalid_mapping"
    assert f"mapping: {key}" in error.value.message
    assert error.value.suggestion


def test_id_and_title_must_be_mapped() -> None:
    for missing in ("id", "title"):
        with pytest.raises(FatalSourceError, match=missing):
            Mapping({key: path for key, path in BASE.items() if key != missing})


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({"id": None}, "id"),
        ({"id": "a b"}, "id"),
        ({"title": "\u200b \0"}, "title"),
        ({"title": None}, "title"),
        ({"title": "字" * 501}, "title"),
        ({"title": ["a"]}, "title"),
        ({"price": -1}, "price"),
        ({"price": Decimal("1E+400")}, "price"),
        ({"price": "abc"}, "price"),
        ({"stock": "1e5"}, "stock"),
        ({"tiers": [{"from": 1, "price": "x"}]}, "price_tiers.fields.price"),
        ({"tiers": "x"}, "price_tiers.each"),
        ({"skus": [{"price": 1}]}, "skus.fields.id"),
        ({"cat": "鞋"}, "category.id"),
        ({"updated": "gestern"}, "updated_at"),
    ],
)
def test_a_field_that_cannot_be_used_rejects_the_record(record: dict[str, Any], field: str) -> None:
    mapping = {
        "price": "price",
        "stock": "stock",
        "price_tiers": {"each": "tiers", "fields": {"start_quantity": "from", "price": "price"}},
        "skus": {"each": "skus", "fields": {"id": "id", "price": "price"}},
        "category": {"id": "cat"},
        "updated_at": "updated",
    }
    with pytest.raises(RecordRejected) as rejection:
        product(mapping, **record)
    assert rejection.value.field == field
    assert rejection.value.message.startswith(f"{field}: ")


TIERS = {"price_tiers": {"each": "tiers", "fields": {"start_quantity": "from", "price": "price"}}}
STEPS = [{"from": "50套", "price": "8"}, {"from": 2, "price": "10.50"}, {"from": 9, "price": "面议"}]


def test_tiers_are_sorted_and_hidden_steps_left_out() -> None:
    assert product(TIERS, tiers=STEPS).price_tiers == (PriceTier(2, Decimal("10.50")), PriceTier(50, Decimal("8.00")))


@pytest.mark.parametrize(("least", "price"), [(None, "10.50"), (1, "10.50"), (2, "10.50"), (50, "8.00"), (99, "8.00")])
def test_without_a_price_the_tier_at_the_minimum_order_counts(least: int | None, price: str) -> None:
    found = product(TIERS | {"min_order_quantity": "moq"}, tiers=STEPS, moq=least)
    assert found.price == Decimal(price)
    assert found.min_order_quantity == (least or 2)
    assert (found.price_min, found.price_max) == (Decimal("8.00"), Decimal("10.50"))


def test_a_shown_price_counts_before_the_tiers() -> None:
    found = product(TIERS | {"price": "price"}, tiers=STEPS, price="7.5")
    assert (found.price, found.price_min, found.price_max) == (Decimal("7.50"), Decimal("7.50"), Decimal("10.50"))


def test_of_a_range_the_lower_price_counts() -> None:
    found = product({"price": "price"}, price="¥12.30-15.00")
    assert (found.price, found.price_min, found.price_max) == (Decimal("12.30"), Decimal("12.30"), Decimal("15.00"))


@pytest.mark.parametrize("price", ["面议", "", None])
def test_a_hidden_price_is_no_price(price: str | None) -> None:
    found = product({"price": "price", "price_min": "price"}, price=price)
    assert (found.price, found.price_min, found.price_max) == (None, None, None)


SKUS = {
    "skus": {
        "each": "skus",
        "fields": {"id": "id", "price": "price", "stock": "stock", "spec": {"色": "color"}, "image": "img"},
    }
}


def test_skus_give_the_price_and_the_stock_that_nothing_else_says() -> None:
    skus = [{"id": 1, "price": 9, "stock": 4, "color": "红"}, {"id": 2, "price": "7.5", "stock": "3", "img": "//a/b"}]
    found = product(SKUS, skus=skus)
    assert (found.price, found.price_max, found.stock) == (Decimal("7.50"), Decimal("9.00"), 7)
    assert [(sku.source_sku_id, sku.spec, sku.image) for sku in found.skus] == [
        ("1", {"色": "红"}, ""),
        ("2", {}, "https://a/b"),
    ]


def test_a_sku_id_that_comes_twice_is_one_sku() -> None:
    assert [sku.stock for sku in product(SKUS, skus=[{"id": 1, "stock": 1}, {"id": "1", "stock": 2}]).skus] == [2]


@pytest.mark.parametrize(
    ("mapping", "names"),
    [
        ({"category": "path"}, ("鞋", "靴")),
        ({"category": {"path": "text", "split": ">"}}, ("鞋", "靴")),
        ({"category": {"names": {"path": "text", "split": ">"}}}, ("鞋", "靴")),
        ({"category": {"levels": ["one", "none", "two"]}}, ("鞋", "靴")),
        ({"category": {"names": "none"}}, None),
    ],
)
def test_a_category_by_its_names(mapping: dict[str, Any], names: tuple[str, ...] | None) -> None:
    found = product(mapping, path=["鞋", "", "靴"], text="鞋 > 靴", one="鞋", two="靴").category
    assert found == (CategoryRef(names=names) if names else None)


@pytest.mark.parametrize(("value", "number"), [("1031922", 1031922), (80, 80), ("0", None), (None, None), ("", None)])
def test_a_category_by_its_number(value: object, number: int | None) -> None:
    found = product({"category": {"id": "ids.0"}}, ids=[value]).category
    assert found == (CategoryRef(id=number) if number else None)


@pytest.mark.parametrize("value", ["鞋", -5, "5.8万", 10**12, "１２"])
def test_a_category_number_is_a_number_of_the_platform(value: object) -> None:
    with pytest.raises(RecordRejected, match="category"):
        product({"category": {"id": "cat"}}, cat=value)


def test_a_shop_needs_an_id() -> None:
    mapping = {"shop": {"id": "shop.id", "name": "shop.name", "location": "shop.city"}}
    assert product(mapping, shop={"name": "厂"}).shop is None
    assert product(mapping, shop={"id": 7}).shop == ShopRecord(source_id="7", name="7")


@pytest.mark.parametrize(
    ("mapping", "attributes"),
    [
        ({"材质": "a", "产地": ["none", "b"], "空": "none"}, {"材质": "棉", "产地": ["浙江", "义乌"]}),
        ({"each": "pairs", "name": "k", "value": "v"}, {"风格": ["简约", "休闲"], "色": "4.80"}),
        ("object", {"x": "1", "y": "true", "z": ["a", "b"]}),
        ("none", {}),
    ],
)
def test_attributes_in_every_form(mapping: object, attributes: dict[str, Any]) -> None:
    record = {
        "a": "棉\0",
        "b": ["浙江", None, "义乌"],
        "pairs": [
            {"k": "风格", "v": "简约"},
            {"k": "风格", "v": "休闲"},
            {"v": 1},
            {"k": "色", "v": Decimal("4.80")},
            5,
        ],
        "object": {"x": 1, "y": True, "z": ["a", "b", {}], "deep": {"a": 1}, "e": ""},
    }
    assert product({"attributes": mapping}, **record).attributes == attributes


@pytest.mark.parametrize(
    ("value", "images"),
    [
        ("https://a.com/1.jpg", ("https://a.com/1.jpg",)),
        ("i/1.jpg, i/2.jpg,i/1.jpg", ("https://c.com/i/1.jpg", "https://c.com/i/2.jpg")),
        (["//a.com/1.jpg", None, "", "http://u:p@a.com/"], ("https://a.com/1.jpg",)),
        (None, ()),
    ],
)
def test_images_from_text_and_lists(value: object, images: tuple[str, ...]) -> None:
    assert product({"images": {"path": "img", "split": ",", "prefix": "https://c.com/"}}, img=value).images == images


def test_status_and_currency_are_checked() -> None:
    mapping = {"status": {"path": "s", "map": {"on": "published", "off": "delisted"}}, "currency": "c"}
    assert product(mapping, s="off", c="usd").status == "delisted"
    assert product(mapping, s="?", c="usd").currency == "USD"
    for wrong in ({"status": {"const": "sold"}}, {"currency": {"const": "YUAN"}}):
        with pytest.raises(RecordRejected):
            product(wrong)
