"""What a text finds among products that a sync wrote."""

from typing import Any

import orjson
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from products.records import ShopRecord
from products.search.folding import words
from products.search.query import sought
from products.selectors.listing import EVERYTHING, ORDERS, Look
from products.selectors.products import product_page, search_page
from products.selectors.search import _key, _way, candidates, page_query
from products.selectors.tables import json_rows
from system.naming import SNAKE
from tests.products.records import apply, record, sku

pytestmark = pytest.mark.django_db

TITLE = "2025夏季新款 法式收腰 Type-C 連衣裙 20*30 女 S925银"


def found(text: str, **filters: Any) -> list[str]:
    """Ids at the source of what a text finds, the best first."""
    page = search_page({"q": text, **filters}, limit=100)
    return [item["source_id"] for item in orjson.loads(page.items)]


@pytest.fixture
def shelf(db: None) -> None:
    """A few products that differ in where they have a word."""
    apply(
        record("1", title=TITLE, attributes={"材质": "棉麻", "风格": ["法式", "复古"]}, skus=(sku(code="LQ-2207-M"),))
    )
    apply(
        record(
            "2",
            title="无线蓝牙耳机",
            attributes={"接口": "Type-C"},
            shop=ShopRecord(source_id="9", name="義烏市連衣裙廠"),
        )
    )
    apply(record("3", title="T恤 短袖", attributes={}, skus=()))


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("夏季新", ["1"]),
        ("款法", ["1"]),
        ("连衣裙", ["1", "2"]),
        ("連衣裙", ["1", "2"]),
        ("ＴＹＰＥ－Ｃ", ["1", "2"]),
        ("typec", ["1", "2"]),
        ("20×30", ["1"]),
        ("裙 夏季", ["1"]),
        ("银 女", ["1"]),
        ("“连衣裙”，女", ["1"]),
        ("2025夏季", ["1"]),
        ("2025法式", ["1"]),
        ("2025短袖", []),
        ("义乌", ["2"]),
        ("蓝牙 义乌", ["2"]),
        ("棉麻", ["1"]),
        ("蓝牙 棉麻", []),
        ("lianyiqun", ["1"]),
        ("lian yi qun", ["1"]),
        ("lian'yi'qun", ["1"]),
        ("lyq", ["1"]),
        ("连yi裙", ["1"]),
        ("txu", ["3"]),
        ("lq2207", ["1"]),
        ("LQ-2207-M", ["1"]),
        ("1688-2", ["2"]),
        ("恤", ["3"]),
        ("女", ["1"]),
        ("不存在", []),
        ("法季", []),
    ],
)
def test_a_text_finds(shelf: None, text: str, ids: list[str]) -> None:
    assert found(text) == ids


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(TITLE) - 2), st.integers(2, len(TITLE)))
def test_every_part_of_a_title_of_two_characters_finds_it(shelf: None, start: int, length: int) -> None:
    part = TITLE[start : start + length]

    assert not words(part) or "1" in found(part)


def test_what_is_written_so_comes_before_what_is_read_so(db: None) -> None:
    apply(record("1", title="蓝衣群 裤子", sold_count=9, attributes={}))
    apply(record("2", title="品牌 LYQ 裤子", attributes={}))

    assert found("lyq") == ["2", "1"]


def test_among_equals_what_sells_best_comes_first(db: None) -> None:
    for number in (5, 70, 6):
        apply(record(str(number), title="玻璃杯子", sold_count=number))

    assert found("杯子") == ["70", "6", "5"]


def test_lists_and_exports_find_the_same_as_the_search(shelf: None) -> None:
    page = product_page({"q": "連衣裙"}, sort="id", descending=False, limit=10)
    exported = [orjson.loads(row)["source_id"] for rows in json_rows({"q": "連衣裙"}, None, SNAKE) for row in rows]

    assert [item["source_id"] for item in orjson.loads(page.items)] == exported == ["1", "2"]


@pytest.mark.parametrize("text", ["连衣裙", "lyq", "lianyiqun", "女", "义乌 裙", "LQ-2207", "600000000001", "不存在的"])
@pytest.mark.parametrize("order", [None, "price", "id"])
def test_no_search_reads_a_whole_table(shelf: None, text: str, order: str | None) -> None:
    sort = ORDERS[order] if order else None
    ctes = candidates(EVERYTHING, sought(text), _key(sort)[0], sort or ORDERS["sold_count"], _way(descending=True))
    query = page_query(ctes, sort, "DESC", (20, 0), None, Look())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {query.sql}", query.parameters)
        # That one table has one row.
        plan = "\n".join(row[0] for row in cursor.fetchall() if "products_searchbuild" not in row[0])

    assert "Seq Scan" not in plan, plan
