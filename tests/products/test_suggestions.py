"""GET products/search/suggestions: what a text can be completed to, and how that is learned."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from products.models import Product, Suggestion
from products.services.suggestions import refresh_if_due, refresh_suggestions
from products.tasks import refresh_suggestions as bell
from tests.client import ApiClient
from tests.products.records import apply, record
from tests.products.search_quality.catalogue import fill

pytestmark = pytest.mark.django_db


@pytest.fixture
def learned(db: None) -> None:
    fill()
    refresh_suggestions()


def texts(reader: ApiClient, q: str, kind: str = "", **query: Any) -> list[str]:
    items = reader.get("products/search/suggestions", q=q, **query)["items"]
    return [item["text"] for item in items if kind in {"", item["kind"]}]


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("瑜伽", "瑜伽裤"),
        ("瑜", "瑜伽"),
        ("運動", "运动套装"),
        ("ｓ９", "S925纯银"),
        ("t恤", "短袖T恤"),
        ("yujiak", "瑜伽裤"),
        ("YJ", "瑜伽裤"),
        ("ydtz", "运动套装"),
        ("壳先生", "深圳市龙岗区壳先生电子商务有限公司"),
        ("kouhong", None),
    ],
)
def test_a_text_is_completed(reader: ApiClient, learned: None, typed: str, completed: str | None) -> None:
    found = texts(reader, typed)

    assert completed in found if completed else found == []


def test_what_begins_so_comes_before_what_has_it_inside_and_the_commonest_first(
    reader: ApiClient, learned: None
) -> None:
    items = reader.get("products/search/suggestions", q="手表")["items"]

    begins = [item["text"].startswith("手表") for item in items]
    assert begins == sorted(begins, reverse=True)
    counts = [item["count"] for item in items if item["text"].startswith("手表")]
    assert counts == sorted(counts, reverse=True)


def test_categories_and_shops_can_be_filtered_by_their_id(reader: ApiClient, learned: None) -> None:
    category = next(
        item for item in reader.get("products/search/suggestions", q="手机配")["items"] if item["kind"] == "category"
    )
    assert category["detail"] == "数码 / 手机配件"
    assert reader.get("products", category_id=category["id"])["total"] == category["count"] == 3

    shop = reader.get("products/search/suggestions", q="声悦")["items"][0]
    assert shop["kind"] == "shop"
    assert reader.get("products", shop_id=shop["id"])["total"] == shop["count"] == 3


@pytest.mark.parametrize("typed", ["1197838", "1688-1197838"])
def test_the_beginning_of_an_offer_id_is_completed(reader: ApiClient, learned: None, typed: str) -> None:
    item = reader.get("products/search/suggestions", q=typed)["items"][0]

    assert (item["kind"], item["text"]) == ("code", "1688-1197838779")
    assert reader.get(f"products/{item['id']}")["title"] == item["detail"]


def test_deleted_products_are_not_suggested(writer: ApiClient, learned: None) -> None:
    writer.delete(f"products/{Product.objects.get(source_id='1197838779').pk}")

    assert texts(writer, "1197838") == []


def test_there_are_ten_at_most_and_each_once(reader: ApiClient, learned: None) -> None:
    found = texts(reader, "女")

    assert len(found) == len(set(found)) == 10
    assert texts(reader, "女", limit=3) == found[:3]


def test_a_text_is_no_completion_of_itself(reader: ApiClient, learned: None) -> None:
    assert "瑜伽裤" not in texts(reader, "瑜伽裤")


def test_markup_in_names_is_only_text(reader: ApiClient) -> None:
    for number in range(3):
        apply(record(str(number), title="<script>坏</script>瓶 <img src=x onerror=alert(1)>"))
    refresh_suggestions()

    assert all("<" not in text for text in texts(reader, "script") + texts(reader, "坏"))


@pytest.mark.parametrize("typed", ["%", "_", "\\", "'", "' OR 1=1--", "😀", "a\u0301", "\u200d", "-", "𠮷", "x" * 200])
def test_strange_texts_break_nothing(reader: ApiClient, learned: None, typed: str) -> None:
    texts(reader, typed)


@pytest.mark.parametrize(
    ("query", "named"),
    [("", "q"), ("q=", "q"), ("q=%20", "q"), ("q=" + "x" * 201, "q"), ("q=a&limit=11", "limit"), ("q=a&foo=1", "foo")],
)
def test_a_bad_parameter_is_named(reader: ApiClient, query: str, named: str) -> None:
    assert named in reader.get(f"products/search/suggestions?{query}", expect=400)["details"]


def test_learning_again_writes_only_what_differs(reader: ApiClient, learned: None) -> None:
    before = rows()

    assert refresh_suggestions() == len(before)

    assert rows() == before


def test_what_is_no_more_is_forgotten(writer: ApiClient) -> None:
    apply(record())
    assert refresh_suggestions() == 2
    writer.delete(f"products/{Product.objects.get().pk}")

    assert refresh_suggestions() == 0
    assert not Suggestion.objects.exists()


def test_the_schedule_learns_only_after_a_change() -> None:
    assert not refresh_if_due()

    apply(record())
    assert refresh_if_due()
    assert Suggestion.objects.filter(kind="shop", text="深圳市耳机厂").exists()
    assert not refresh_if_due()


def test_learning_rests_for_a_hundred_times_as_long_as_it_took() -> None:
    apply(record("1"))
    bell()
    apply(record("2"))
    assert not refresh_if_due()

    _shift("at = at - interval '100 seconds', seconds = 2")
    assert not refresh_if_due()

    _shift("seconds = 0.5")
    assert refresh_if_due()


def test_the_command_learns_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    apply(record())

    call_command("suggestions")

    assert "2 suggestions" in capsys.readouterr().out


def _shift(change: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE products_suggestionrefresh SET {change}")  # noqa: S608 - our own words


def rows() -> set[tuple[Any, ...]]:
    """Every suggestion and the transaction that wrote it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, ctid::text FROM products_suggestion")
        return set(cursor.fetchall())
