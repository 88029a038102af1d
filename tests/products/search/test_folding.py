"""Texts that readers take for the same are folded to the same, and parts stay parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from products.search.folding import fold, pair, pairs, words

# What titles are made of: Chinese of both kinds, Latin, digits of both widths, marks between them.
TITLES = st.text(
    st.one_of(
        st.sampled_from(
            "连衣裙連衣裙耳機耳机後发髮乾幹麵黃ＡＢｃ１２３abcXYZ019éßⅧ①㎏℃½ - _*×·'’/.,，。（）\u3000😀𠮷e\u0301"
        ),
        st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF),
        st.characters(exclude_categories=["Cs"]),
    ),
    min_size=2,
    max_size=40,
)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("無線藍牙耳機", "无线蓝牙耳机"),
        ("後髮乾麵", "后发干面"),
        ("ＵＳＢ　３．０", "usb3.0"),
        ("Type-C", "typec"),
        ("Type C", "typec"),
        ("3-5岁", "3-5岁"),
        ("20*30cm 20×30", "20x30cm20x30"),
        ("㎏ ① ㎡", "kg1m2"),
        ("Café", "cafe"),
        ("Cafe\u0301", "cafe"),
        ("C++", "c++"),
        ("100%_棉", "100%_棉"),
        ("項鍊 項鏈 鍛鍊 锻炼", "项链项链锻链锻链"),
    ],
)
def test_one_spelling_stands_for_all(written: str, folded: str) -> None:
    assert fold(written) == folded


@pytest.mark.parametrize(
    ("asked", "parts"),
    [
        ("手表,防水", ["手表", "防水"]),
        ("手表，防水。", ["手表", "防水"]),
        ("“手表”", ["手表"]),
        ("看【二件套】(女)", ["看", "二件套", "女"]),
        ("裤+运动/套装", ["裤", "运动", "套装"]),
        ("⌚ 手表", ["手表"]),
        ("🔥爆款🔥", ["爆款"]),
        ("A+级 C++ A/B 3:1 1,000个 8.7mm 100%", ["a+级", "c++", "a/b", "3:1", "1,000个", "8.7mm", "100%"]),
        ("😀", ["😀"]),
        ('"', ['"']),
    ],
)
def test_marks_part_words_unless_they_belong_to_one(asked: str, parts: list[str]) -> None:
    assert words(asked) == parts


@given(TITLES)
def test_what_is_folded_stays_as_it_is(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(TITLES, st.data())
def test_the_words_of_a_part_of_a_title_are_in_the_folded_title(title: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(title) - 1))
    part = title[start : data.draw(st.integers(start + 1, len(title)))]

    asked = words(part)

    assert all(word in fold(title) for word in asked if any(letter.isalnum() for letter in word))


@given(TITLES, st.data())
def test_the_pairs_of_a_part_are_pairs_of_the_whole(title: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(title) - 1))
    part = title[start : data.draw(st.integers(start, len(title)))]

    assert pairs(part) <= pairs(title)


def test_a_pair_says_which_characters_it_is_of() -> None:
    number = pair("连衣")

    assert (chr(number >> 16 & 0xFFFF), chr(number & 0xFFFF)) == ("连", "衣")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("红色 连衣裙", ["红色", "连衣裙"]),
        ("  a　a ", ["a"]),
        ("- a -", ["a"]),
        ("-", ["-"]),
        ("", []),
        ("a- -b", ["a", "b"]),
    ],
)
def test_words_are_what_stands_between_blanks(text: str, found: list[str]) -> None:
    assert words(text) == found
