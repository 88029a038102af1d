"""Search finds what it should, and little else: 200 and more queries over real offers, judged by hand and by eye."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.products.search_quality.catalogue import answer, fill
from tests.products.search_quality.judge import QUERIES, judge, judged, lines
from tests.products.search_quality.measures import Quality, by_kind, quality, table

# The least of recall and of precision by kind; raise them when search has become better.
LEAST = json.loads((Path(QUERIES).parent / "least.json").read_text())


def test_the_committed_judgments_are_the_judges() -> None:
    assert lines(QUERIES) == judge()


def test_there_are_enough_queries_and_each_is_asked_once() -> None:
    texts = [line["query"] for line in lines(QUERIES)]

    assert len(texts) == len(set(texts)) > 200


@pytest.mark.django_db
def test_search_is_as_good_as_it_was() -> None:
    fill()

    kinds = by_kind((query, quality(query, answer(query))) for query in judged())

    counts = Counter(query.kind for query in judged())
    print(table(kinds, counts | {"all": counts.total()}))
    assert {kind: worse(found, *LEAST[kind]) for kind, found in kinds.items() if worse(found, *LEAST[kind])} == {}


def worse(found: Quality, recall: float, precision: float) -> dict[str, tuple[float, float]]:
    """What has become worse, and how much it should be."""
    measured = {"recall": (found.recall, recall), "precision": (found.precision, precision)}
    return {name: pair for name, pair in measured.items() if round(pair[0], 4) < pair[1]}
