"""The phrases of titles, which searches are completed to."""

from products.search.phrases import phrases
from tests.products.search_quality.judge import OFFERS, lines


def test_words_are_found_without_a_dictionary() -> None:
    found = phrases((offer["title"] for offer in lines(OFFERS)), least=3)

    assert {"瑜伽裤", "运动套装", "石英手表", "仿真花", "S925纯银", "2024新款", "短袖T恤", "郁金香"} <= set(found)


def test_a_part_of_a_word_is_none() -> None:
    found = phrases((offer["title"] for offer in lines(OFFERS)), least=3)

    assert not {"伽裤", "英手表", "动套装", "金香", "款女", "戒指女款手"} & set(found)


def test_each_title_counts_once() -> None:
    others = [f"{chr(0x4E00 + number)}{chr(0x5000 + number)}" for number in range(40)]
    titles = ["蓝牙耳机 蓝牙耳机", "蓝牙耳机", *others]

    assert phrases(titles, least=2) == {"蓝牙耳机": 2}


def test_rare_rows_and_empty_titles_give_nothing() -> None:
    assert phrases(["", "!!!", "蓝牙耳机", "🔥"], least=2) == {}
