"""Latin letters are read as pinyin, whole, begun, by initials, and among Chinese characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from products.search.pinyin import pair_readings, readings, splits


@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("lianyiqun", "lian yi qun"),
        ("xian", "xi an"),
        ("nvbao", "nv bao"),
        ("lyq", "l* y* q*"),
        ("lianyiq", "lian yi q*"),
        ("lianyq", "lian y* q*"),
        ("红se", "红 se"),
        ("连衣qun", "连 衣 qun"),
    ],
)
def test_the_likeliest_reading_comes_first(word: str, first: str) -> None:
    assert " ".join(unit.text + ("" if unit.whole else "*") for unit in splits(word)[0]) == first


@pytest.mark.parametrize("word", ["usb", "iphone", "pu", "ly", "连衣裙", "lq2207", "", "l-y-q"])
def test_what_is_no_pinyin_of_two_characters_is_not_read(word: str) -> None:
    assert splits(word) == []


@given(st.text("abcdefghijklmnopqrstuvwxyz连衣", max_size=120))
def test_a_split_says_the_whole_word_and_there_are_few(word: str) -> None:
    found = splits(word)

    assert len(found) <= 4
    assert all("".join(unit.text for unit in units) == word for units in found)


def test_only_ordinary_readings_count() -> None:
    assert (readings("家"), set(readings("长"))) == (("jia",), {"chang", "zhang"})


@pytest.mark.parametrize(
    ("two", "reading"),
    [("银行", ("yin", "hang")), ("行李", ("xing", "li")), ("t恤", ("t", "xu")), ("音乐", ("yin", "yue"))],
)
def test_neighbours_decide_how_a_character_is_read(two: str, reading: tuple[str, str]) -> None:
    assert pair_readings(*two) == [reading]
