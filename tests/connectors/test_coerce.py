"""The coercers that every connector shares."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from syncjobs.connectors.coerce import (
    identifier,
    image_urls,
    moment,
    money,
    money_range,
    text,
    web_address,
    whole_number,
    word,
    words,
)


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (39.8, "39.80"),
        ("39.80", "39.80"),
        ("¥39.8", "39.80"),
        ("￥ 1,234.5", "1234.50"),
        ("12元/件", "12.00"),
        ("12.5起", "12.50"),
        (" .5 ", "0.50"),
        (0, "0.00"),
        (Decimal("2.345"), "2.35"),
        (9999999999.99, "9999999999.99"),
    ],
)
def test_money_has_two_places(value: object, amount: str) -> None:
    assert str(money(value)) == amount


@pytest.mark.parametrize("value", [None, "", "  ", "面议", "价格面议"])
def test_a_hidden_price_is_none(value: object) -> None:
    assert money(value) is None


@pytest.mark.parametrize(
    "value",
    [
        *(-1, "-1", -0.0, "1_000", "١٢", "1,23", "1e3", "1e400", "NaN", "¥", "12-15", True, [], {}),
        *(float("nan"), float("inf"), Decimal("1e400"), Decimal("NaN"), 10**10, "9999999999.999", 0.001),
    ],
)
def test_money_refuses_nonsense(value: object) -> None:
    with pytest.raises(ValueError, match=r"amount|number|fen"):
        money(value)


def test_a_range_of_prices_has_two_ends() -> None:
    assert money_range("¥12.30-15.00") == (Decimal("12.30"), Decimal("15.00"))
    assert money_range("12") == (Decimal("12.00"), Decimal("12.00"))
    assert money_range("面议") is None
    for wrong in ("15-12", "-5", "5-", "面议-5"):
        with pytest.raises(ValueError, match="amount"):
            money_range(wrong)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *((12, 12), (12.7, 12), ("12.0", 12), ("1,000", 1000), ("1000套", 1000), ("≥2双", 2), ("44%", 44)),
        *(
            ("5.8万+", 58_000),
            ("已售1.2万+件", 12_000),
            ("全网2.6w+件", 26_000),
            ("1亿", 10**8),
            (None, None),
            (" ", None),
        ),
    ],
)
def test_counts_are_read_through_the_words_around_them(value: object, number: int | None) -> None:
    assert whole_number(value) == number


@pytest.mark.parametrize("value", [-1, "-1", "abc", "12-15", "1e5", "1_0", "1٢", 2**31, True, "1.2.3", [], 1e300])
def test_counts_refuse_nonsense(value: object) -> None:
    with pytest.raises(ValueError, match=r"number|count"):
        whole_number(value)


def test_text_loses_only_what_cannot_be_stored() -> None:
    assert text(" a\0✷☽b\u200b ") == "a✷☽b"
    assert text("x\ud800") == "x\ufffd"
    assert text("\u200b\u3000") == ""
    assert [text(None), text(12), text(Decimal("4.80")), text(True)] == ["", "12", "4.80", "true"]
    assert text("四个字符", limit=4) == "四个字符"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("G&amp;D 手表", "G&D 手表"),
        ("5&quot; &#26825;&#x5e03;", '5" 棉布'),
        ("&amp;lt;", "&lt;"),
        ("R&D", "R&D"),
        ("a&copy=1", "a&copy=1"),
        ("&nbsp;棉&#8203;", "棉"),
        ("x&#0;&#xd800;", "x\ufffd\ufffd"),
    ],
)
def test_an_entity_of_a_title_becomes_its_sign_once(written: str, meant: str) -> None:
    assert (words(written), word(written)) == (meant, meant)
    assert text(written.strip()) == written


def test_a_short_title_may_be_long_as_it_is_written() -> None:
    assert words("&amp;" * 4, limit=4) == "&&&&"
    with pytest.raises(ValueError, match="5 characters"):
        word("&amp;" * 5, limit=4)


@pytest.mark.parametrize("value", [["a"], {"a": 1}])
def test_lists_and_objects_are_no_text(value: object) -> None:
    with pytest.raises(ValueError, match="not text"):
        text(value)


def test_text_over_its_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="501 characters"):
        text("字" * 501, limit=500)


def test_an_id_is_the_same_as_number_and_as_text() -> None:
    assert identifier(610000000001) == identifier("610000000001") == identifier(610000000001.0) == "610000000001"
    assert identifier(None) == ""


@pytest.mark.parametrize("value", ["a b", True, 1.5, "x" * 65, [1], Decimal("1e400"), float("inf")])
def test_ids_refuse_nonsense(value: object) -> None:
    with pytest.raises(ValueError, match=r"id|characters|number|text"):
        identifier(value)


def test_images_are_web_addresses_each_once() -> None:
    given = ["//a.com/1.jpg", "https://a.com/1.jpg", "javascript:x", "data:,x", "http://u:p@a.com/", "ftp://a", None, 3]
    assert image_urls(given) == ("https://a.com/1.jpg",)
    assert image_urls("http://a.com/" + "x" * 2048) == ()
    assert image_urls(["img/1.jpg", "/img/2.jpg"], base="https://c.com/") == (
        "https://c.com/img/1.jpg",
        "https://c.com/img/2.jpg",
    )
    assert web_address("http://a.com\\@b.com/") == ""


@pytest.mark.parametrize(
    "value",
    [
        *("20250905104328000+0800", "20250905104328+0800", "20250905024328000+0000", "20250904194328-0700"),
        *("2025-09-05 10:43:28", "2025/9/5 10:43:28", "2025-09-05T02:43:28Z", "2025-09-05T10:43:28.000+08:00"),
        *("1757040208000", 1757040208000, 1757040208, "1757040208", "20250905104328"),
    ],
)
def test_every_shape_of_a_moment_is_the_same_moment(value: object) -> None:
    assert moment(value) == datetime(2025, 9, 5, 2, 43, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", ["2025-13-40", "now", "0001-01-01 00:00:00", "10000-01-01", "2025-01-01T00:00:00+25:00", 1e300, True, [1]]
)
def test_moments_refuse_nonsense(value: object) -> None:
    with pytest.raises(ValueError, match="not a date"):
        moment(value)


@pytest.mark.parametrize("coerce", [money, whole_number, moment])
def test_nothing_stays_nothing(coerce: Callable[[Any], object]) -> None:
    assert coerce(None) is None
    assert coerce("") is None
