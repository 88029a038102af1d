"""GET products/search: what a text finds, and in which order."""

from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from products.models import Product
from tests.client import ApiClient
from tests.products.records import apply, record

pytestmark = [pytest.mark.django_db, pytest.mark.shows("000/2 GET products/search")]

OFFER = "600000000001"
LINKS = [
    f"https://detail.1688.com/offer/{OFFER}.html",
    f"https://detail.1688.com/offer/{OFFER}.html?spm=a2615.2177701#top",
    f"http://m.1688.com/offer/{OFFER}.htm",
    f"detail.1688.com/offer/{OFFER}",
    f"//detail.1688.com/offer/{OFFER}.html",
    f"看看这个【耳机】 https://detail.1688.com/offer/{OFFER}.html 很好",
    f"https://m.1688.com/page/offer.html?a=1&offerId={OFFER}",
]


def titles(page: dict[str, Any]) -> list[str]:
    return [item["title"] for item in page["items"]]


@pytest.fixture
def cups(db: None) -> None:
    """Titles in which the text stands at the beginning, in the middle, and not at all, oldest first."""
    for number, title in enumerate(["杯子 大", "玻璃杯子", "杯子 小", "陶瓷杯子", "盘子"], 1):
        apply(record(str(number), title=title))


def test_titles_that_begin_with_the_text_come_first_each_newest_first(reader: ApiClient, cups: None) -> None:
    page = reader.get("products/search", q="杯子")

    assert titles(page) == ["杯子 小", "杯子 大", "陶瓷杯子", "玻璃杯子"]
    assert (page["total"], page["total_exact"]) == (4, True)


@pytest.mark.parametrize("text", [OFFER, f"1688-{OFFER}", *LINKS])
def test_a_code_comes_before_every_title(reader: ApiClient, text: str) -> None:
    apply(record(OFFER, title="找到"))
    apply(record("7", title=f"{text} 的配件"))

    assert titles(reader.get("products/search", q=text))[0] == "找到"


@pytest.mark.parametrize(
    "text", ["https://example.com/offer/600000000001.html", "https://evil1688.com/offer/600000000001.html"]
)
def test_a_link_to_elsewhere_is_only_a_text(reader: ApiClient, text: str) -> None:
    apply(record(OFFER))

    assert reader.get("products/search", q=text)["items"] == []


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_walk_by_cursor_keeps_the_order(reader: ApiClient, cups: None, limit: int) -> None:
    seen = list[str]()
    place: Any = ""
    while place is not None:
        page = reader.get(f"products/search?q=杯子&limit={limit}{place}")
        seen += titles(page)
        place = page["next_cursor"] and f"&cursor={page['next_cursor']}"

    assert seen == ["杯子 小", "杯子 大", "陶瓷杯子", "玻璃杯子"]


def test_pages_keep_the_order(reader: ApiClient, cups: None) -> None:
    assert titles(reader.get("products/search", q="杯子", page=2, page_size=3)) == ["玻璃杯子"]


def test_the_lists_filters_and_orders_work_as_well(reader: ApiClient, cups: None) -> None:
    newest = Product.objects.get(title="陶瓷杯子")

    assert titles(reader.get("products/search", q="杯子", ids=newest.pk)) == ["陶瓷杯子"]
    assert titles(reader.get("products/search", q="杯子", sortby="id", order="asc")) == [
        "杯子 大",
        "玻璃杯子",
        "杯子 小",
        "陶瓷杯子",
    ]
    assert reader.get("products/search", q="杯子", source="other")["items"] == []


@pytest.mark.uncounted
def test_deleted_products_are_not_found(reader: ApiClient, cups: None) -> None:
    Product.objects.update(deleted_at=timezone.now())

    assert reader.get("products/search", q="杯子")["items"] == []
    assert reader.get("products/search", q="1")["items"] == []


@pytest.mark.parametrize(
    ("text", "found"), [("100%", ["100%_棉"]), ("%_", ["100%_棉"]), ("_", ["100%_棉"]), ("\\", ["a\\b"])]
)
def test_the_text_is_taken_literally(reader: ApiClient, text: str, found: list[str]) -> None:
    for number, title in enumerate(["100%_棉", "a\\b", "1000 棉"], 1):
        apply(record(str(number), title=title))

    assert titles(reader.get("products/search", q=text)) == found


@pytest.mark.parametrize(
    "text", ["杯", "' OR 1=1--", "😀", "%25_%5C", "words%20" * 33, "a'b\"c$1%25s%25(x)s", "{{7*7}}", "%00a"[3:]]
)
def test_strange_texts_break_nothing(reader: ApiClient, cups: None, text: str) -> None:
    reader.get(f"products/search?q={text}")


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("", "q"),
        ("q=", "q"),
        ("q=%20", "q"),
        ("q=" + "x" * 201, "q"),
        ("q=" + "%20".join(["wort"] * 200), "q"),
        ("q=a%00b", "q"),
        ("q=a&q=b", "q"),
        ("q=a&foo=1", "foo"),
        ("q=a&sortby=title", "sortby"),
        ("q=a&sortby=relevance&order=asc", "order"),
        ("q=a&page_size=101", "page_size"),
        ("q=a&price_min=2&price_max=1", "price_min"),
    ],
)
def test_a_bad_parameter_is_named(reader: ApiClient, query: str, named: str) -> None:
    assert named in reader.get(f"products/search?{query}", expect=400)["details"]


def test_a_cursor_of_the_list_is_refused(reader: ApiClient, cups: None) -> None:
    cursor = reader.get("products", limit=1)["next_cursor"]

    assert "cursor" in reader.get("products/search", q="杯子", cursor=cursor, expect=400)["details"]


@pytest.mark.django_db(transaction=True)
def test_a_search_that_takes_too_long_is_503(reader: ApiClient) -> None:
    reader.get("products/search", q="杯子")
    with connection.cursor() as cursor, psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("LOCK TABLE products_searchtext")
        cursor.execute("SET statement_timeout = '5ms'")
        try:
            error = reader.get("products/search", q="杯子", page=2, expect=503)
        finally:
            connection.close()

    assert error["code"] == "E00013"
    assert reader.last.headers["Retry-After"]
