"""What Directus is asked, and what its answers say in our words."""

from urllib.parse import parse_qs, urlsplit

import orjson

from benchmarks.peers.directus import wording

LISTED = {
    **dict.fromkeys(("sku", "title", "currency", "unit", "status", "source", "source_id", "url"), "text"),
    **{"id": "7", "price": "160.00", "price_min": "9.50", "price_max": None, "stock": "12", "sold_count": "3"},
    **{"images": [], "attributes": {}, "version": 2, "min_order_quantity": 1, "source_updated_at": None},
    **{"price_tiers": [{"start_quantity": 2, "price": 160}], "shop_id": None},
    **{"created_at": "2026-11-30T20:24:27.327Z", "updated_at": "2026-11-30T20:24:28.000Z", "synced_at": None},
    "category_id": {"id": "900011", "name": "棉", "path": "服饰 / 棉"},
}


def test_a_list_asks_for_the_page_of_a_category_and_for_its_length() -> None:
    asked = parse_qs(urlsplit(wording.path("/api/v1/products?category_id=5&page=3&page_size=18")).query)
    wanted = {"filter[category_id][_eq]": ["5"], "page": ["3"], "limit": ["18"], "sort": ["-id"]}
    assert wanted.items() <= asked.items()
    assert asked["meta"] == ["filter_count"]


def test_a_detail_asks_for_the_skus_in_their_order() -> None:
    found = urlsplit(wording.path("/api/v1/products/7"))
    assert found.path == "/items/products_product/7"
    assert parse_qs(found.query)["deep[skus][_sort]"] == ["position,id"]


def test_its_numbers_moments_and_names_become_ours() -> None:
    body = orjson.dumps({"data": [LISTED], "meta": {"filter_count": 41}})
    page = wording.data("/api/v1/products?category_id=5&page=3&page_size=20", body)
    assert (page["total"], page["page"], page["page_size"], page["pages"]) == (41, 3, 20, 3)
    item = page["items"][0]
    assert (item["id"], item["stock"], item["price_max"], item["shop"]) == (7, 12, None, None)
    assert orjson.dumps([item["price"], item["price_tiers"][0]["price"]]) == b"[160.0,160.0]"
    assert (item["category_id"], item["category"], item["category_path"]) == (900011, "棉", "服饰 / 棉")
    assert item["created_at"] == "2026-11-30T20:24:27Z"
