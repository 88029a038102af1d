"""The category tree in the spellings the platform may give it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from syncjobs.connectors.alibaba1688.answers import CategoryAnswer, decode
from syncjobs.connectors.alibaba1688.categories import CategoryWalk


def walk(answers: Mapping[int, Sequence[Any] | None]) -> list[tuple[int, str, int | None, bool]]:
    """The categories of a platform that answers each id with these entries."""
    asked: list[int] = []

    def load(number: int) -> CategoryAnswer:
        asked.append(number)
        return decode(json.dumps({"succes": "true", "categoryInfo": answers.get(number)}).encode(), CategoryAnswer)

    found = [(each.id, each.name, each.parent_id, each.is_leaf) for each in CategoryWalk(load)]
    assert len(asked) == len(set(asked))
    return found


def entry(number: Any, name: Any, *children: Any, leaf: Any = False) -> dict[str, Any]:
    return {"categoryID": number, "name": name, "isLeaf": leaf, "childCategorys": list(children) or None}


def child(number: Any, name: Any, leaf: Any = True) -> dict[str, Any]:
    return {"id": number, "name": name, "isLeaf": leaf}


def test_the_root_lists_the_first_level_with_its_children() -> None:
    tree = {
        0: [entry(1, "女装", child(11, "连衣裙")), entry(2, "男装", child(21, "裤", "false"))],
        21: [entry(21, "裤", child(211, "牛仔裤", "true"))],
    }
    assert walk(tree) == [
        (1, "女装", None, False),
        (11, "连衣裙", 1, True),
        (2, "男装", None, False),
        (21, "裤", 2, False),
        (211, "牛仔裤", 21, True),
    ]


def test_the_root_may_be_a_category_with_children() -> None:
    tree = {0: [entry(0, None, child(1, "女装", False))], 1: [entry(1, "女装", child(11, "连衣裙"))]}
    assert walk(tree) == [(1, "女装", None, False), (11, "连衣裙", 1, True)]


def test_an_answer_without_an_id_is_about_the_category_asked_for() -> None:
    tree = {
        0: [entry(None, None, child("1", "女装", "false"))],
        1: [entry(None, "女装", child("11", "连衣裙", "true"))],
    }
    assert walk(tree) == [(1, "女装", None, False), (11, "连衣裙", 1, True)]


def test_a_first_level_without_children_is_asked_for_them() -> None:
    tree = {0: [entry(1, "女装"), entry(2, "礼品", leaf=True)], 1: [entry(1, "女装", child(11, "连衣裙"))]}
    assert walk(tree) == [(1, "女装", None, False), (2, "礼品", None, True), (11, "连衣裙", 1, True)]


def test_a_tree_that_bites_its_tail_ends() -> None:
    tree = {
        0: [entry(1, "甲", child(2, "乙", False))],
        2: [entry(2, "乙", child(1, "甲", False), child(0, "根", False), child(2, "乙", False))],
    }
    assert [number for number, *_ in walk(tree)] == [1, 2]


def test_a_tree_without_an_end_is_left() -> None:
    tree = {0: [entry(1, "1", child(2, "2", False))]} | {
        n: [entry(n, str(n), child(n + 1, str(n + 1), False))] for n in range(2, 100)
    }
    assert len(walk(tree)) < 20


def test_a_category_without_id_or_name_is_left_out_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    tree = {
        0: [entry("x", "甲"), None, entry(2, "\u200b"), entry(3, "丙", child(None, "丁"), None, child("31", " 戊 "))]
    }
    assert walk(tree) == [(3, "丙", None, False), (31, "戊", 3, True)]
    assert len(caplog.records) == 3


@pytest.mark.parametrize("nothing", [None, []])
def test_a_platform_without_categories_has_none(nothing: Any) -> None:
    assert walk({0: nothing}) == []
