"""Real 1688 offers through the mapping that ships as an example."""

import html
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from products.records import PriceTier, ProductRecord
from syncjobs.engine.contracts import Scope
from tests.connectors.cases import feed_from

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "docs/examples/feed-real-offers.json"
SAMPLE = Path(__file__).parent / "data/sample.ndjson"
ALL_OFFERS = Path(__file__).parent / "data/offers.ndjson"


def sync(path: Path) -> tuple[list[dict[str, Any]], list[ProductRecord]]:
    """The offers of a file as they are, and as the products they become."""
    connector = feed_from(json.loads(EXAMPLE.read_text(encoding="utf-8")) | {"path": str(path)})
    assert connector.check().ok
    pages = [page for spec in connector.plan(Scope(type="full")).batches for page in connector.fetch(spec)]
    assert not any(page.rejected for page in pages)
    offers = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return offers, [connector.normalize(raw) for page in pages for raw in page.records]


@pytest.fixture(params=[SAMPLE, ALL_OFFERS], ids=["sample", "all"])
def offers(request: pytest.FixtureRequest) -> list[tuple[dict[str, Any], ProductRecord]]:
    given, products = sync(request.param)
    return list(zip(given, products, strict=True))


def test_every_offer_becomes_a_product(offers: list[tuple[dict[str, Any], ProductRecord]]) -> None:
    for offer, product in offers:
        assert product.source_id == offer["item_id"]
        assert product.url == offer["product_url"]
        assert product.images == (offer["img"],)
        title = offer.get("title_origin") or offer.get("origin_title") or offer["title"]
        assert product.title == html.unescape(title).strip()


def test_prices_are_those_of_the_offer(offers: list[tuple[dict[str, Any], ProductRecord]]) -> None:
    for offer, product in offers:
        assert product.price == Decimal(offer["price"])
        assert product.price_min is not None
        assert product.price_max is not None
        assert product.price_min <= product.price <= product.price_max
        assert [tier.price for tier in product.price_tiers] == [
            Decimal(step["price"]) for step in offer.get("quantity_prices", [])
        ]


def test_categories_are_the_leaves(offers: list[tuple[dict[str, Any], ProductRecord]]) -> None:
    for offer, product in offers:
        leaf = next(iter(offer.get("category_path") or []), None)
        assert (str(product.category.id) if product.category else None) == leaf


def test_one_offer_field_by_field() -> None:
    _, products = sync(SAMPLE)
    product = next(product for product in products if product.source_id == "566097419890")
    assert product.price_tiers == (
        PriceTier(3, Decimal("18.50")),
        PriceTier(300, Decimal("18.00")),
        PriceTier(1000, Decimal("17.50")),
    )
    assert (product.min_order_quantity, product.sold_count, product.currency) == (3, 100_000, "CNY")
    assert product.attributes["复购率"] == "23%"
    assert product.attributes["服务标签"] == ["48小时发货", "7天无理由", "混批"]
    assert product.attributes["超级工厂"] == "否"
    assert product.shop is None


@pytest.mark.parametrize(
    "change",
    [
        {"sale_info": None, "price_info": None, "shop_info": None},
        {"sale_info": {"sale_quantity": "已售5.8万+件"}, "quantity_begin": None},
        {"category_path": None, "quantity_prices": None, "tags": None, "img": None},
        {"category_path": ["女包"], "quantity_begin": "不限", "sale_info": {"sale_quantity": "热卖中"}},
        {"item_id": 566097419890, "price": 18.5, "goods_score": 5, "quantity_begin": 2},
        {"price": "面议", "price_info": {"price_min": "面议"}},
        {"quantity_prices": [{"begin_num": None, "price": "3"}, {"begin_num": "≥10件", "price": None}]},
        {"title_origin": "", "origin_title": None, "unknown": {"deep": [1]}},
    ],
)
def test_offers_with_odd_fields_still_map(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "odd.ndjson"
    offers = [json.loads(line) | change for line in SAMPLE.read_text(encoding="utf-8").splitlines()]
    path.write_text("\n".join(map(json.dumps, offers)), encoding="utf-8")
    _, products = sync(path)
    assert len(products) == len(offers)
