"""Products are a pure function of seed, index and history, and hold what the platform's rules say."""

from collections import Counter
from typing import Any

import orjson
import pytest

from devstack.gateway.catalogue import Catalogue
from devstack.gateway.categories import CATEGORIES, LEAVES
from devstack.gateway.revision import UNCHANGED, Kind

Product = dict[str, Any]


@pytest.fixture(scope="module")
def products() -> list[Product]:
    catalogue = Catalogue(11, 4000)
    return [catalogue.product(index) for index in range(catalogue.size)]


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = Catalogue(5, 50), Catalogue(5, 1_000_000)
    assert [orjson.dumps(first.product(i)) for i in range(50)] == [orjson.dumps(second.product(i)) for i in range(50)]


def test_another_seed_gives_other_products() -> None:
    first, second = Catalogue(5, 50), Catalogue(6, 50)
    assert not {first.id_of(i) for i in range(50)} & {second.id_of(i) for i in range(50)}
    assert first.product(0)["subject"] != second.product(0)["subject"]


def test_ids_grow_and_lead_back_to_their_index() -> None:
    catalogue = Catalogue(5, 10_000_000)
    indexes = (0, 1, 2, 4_999, 777_777, 9_999_999)
    ids = [catalogue.id_of(index) for index in indexes]
    assert ids == sorted(ids)
    assert [catalogue.index_of(each) for each in ids] == list(indexes)
    assert catalogue.index_of(ids[0] + 1) is None
    assert len(str(ids[-1])) == 12


def test_too_many_products_are_refused() -> None:
    with pytest.raises(ValueError, match="products"):
        Catalogue(1, 10_000_001)


def test_quote_type_decides_where_prices_are(products: list[Product]) -> None:
    for product in products:
        sale, skus = product["saleInfo"], product["skuInfos"]
        if sale["priceAuth"]:
            assert not sale["priceRanges"]
            assert not any({"price", "priceRange"} & sku.keys() for sku in skus)
            continue
        assert bool(skus) is (sale["quoteType"] != 0)
        assert bool(sale["priceRanges"]) is (sale["quoteType"] in (0, 2))
        assert all(("price" in sku) is (sale["quoteType"] == 1) for sku in skus)
        assert all(("priceRange" in sku) is (sale["quoteType"] == 3) for sku in skus)


def test_every_quote_type_and_sku_count_occurs(products: list[Product]) -> None:
    assert set(Counter(product["saleInfo"]["quoteType"] for product in products)) == {0, 1, 2, 3}
    counts = {len(product["skuInfos"]) for product in products}
    assert (min(counts), max(counts)) == (0, 24)
    assert 1 in counts


def test_tiers_begin_at_the_minimum_order_and_fall(products: list[Product]) -> None:
    for product in products:
        tiers = product["saleInfo"]["priceRanges"]
        if tiers:
            assert tiers[0]["startQuantity"] == product["saleInfo"]["minOrderQuantity"]
            starts = [tier["startQuantity"] for tier in tiers]
            assert starts == sorted(set(starts))
            prices = [float(tier["price"]) for tier in tiers]
            assert prices == sorted(prices, reverse=True)
            assert prices[-1] > 0


def test_titles_are_within_the_limit_and_sometimes_ornamented(products: list[Product]) -> None:
    lengths = [len(product["subject"]) for product in products]
    assert max(lengths) == 128
    subjects = "".join(product["subject"] for product in products)
    assert all(sign in subjects for sign in "✷☽【】２🔥")


def test_rare_but_valid_records_occur(products: list[Product]) -> None:
    assert any(product["saleInfo"]["priceAuth"] for product in products)
    assert any(product["shippingInfo"]["unitWeight"] == 10_000 for product in products)
    assert any(sku["amountOnSale"] == 0 for product in products for sku in product["skuInfos"])
    assert any(product["categoryName"] != CATEGORIES[product["categoryID"]].name for product in products)
    assert any("<script>" in product["description"] for product in products)
    assert any(len(product["description"]) > 90_000 for product in products)
    assert any(isinstance(sku.get("price"), str) for product in products for sku in product["skuInfos"])


def test_sku_ids_are_global_and_spec_ids_only_within_a_product(products: list[Product]) -> None:
    sku_ids = [sku["skuId"] for product in products for sku in product["skuInfos"]]
    assert len(set(sku_ids)) == len(sku_ids)
    assert {len(str(each)) for each in sku_ids} == {13}
    spec_ids = [sku["specId"] for product in products for sku in product["skuInfos"]]
    assert len(set(spec_ids)) < len(spec_ids)
    for product in products:
        own = [sku["specId"] for sku in product["skuInfos"]]
        assert len(set(own)) == len(own)


def test_attributes_repeat_for_several_values(products: list[Product]) -> None:
    repeated = Counter(row["attributeID"] for row in products[0]["attributes"])
    assert all(row["value"] for product in products for row in product["attributes"])
    assert any(max(Counter(row["attributeID"] for row in p["attributes"]).values()) > 1 for p in products)
    assert repeated[2176] == 1


def test_products_are_spread_over_all_leaves_and_hundreds_of_suppliers(products: list[Product]) -> None:
    assert {product["categoryID"] for product in products} == set(LEAVES)
    suppliers = {product["supplierUserId"]: product["supplierLoginId"] for product in products}
    assert len(suppliers) > 300
    assert len(set(suppliers.values())) == len(suppliers)


@pytest.mark.parametrize("kind", Kind)
def test_a_change_that_can_be_made_shows(kind: Kind) -> None:
    catalogue = Catalogue(11, 400)
    for index in range(catalogue.size):
        before, history = catalogue.product(index), UNCHANGED
        for _ in range(3):
            if not catalogue.blueprint(index, history).can(kind):
                break
            history = history.then(kind)
            after = catalogue.product(index, history, catalogue.base_traits(index).modified)
            assert after != before
            before = after
