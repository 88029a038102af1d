"""The examples of docs/feeds.md do what the page says."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from syncjobs.connectors.feed.mapping import Mapping
from syncjobs.connectors.feed.readers import decode
from syncjobs.engine.contracts import Scope
from tests.connectors.cases import feed_connector

PAGE = (Path(__file__).parents[3] / "docs/feeds.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```(json mapping|json record|json product|csv)\n(.*?)```", re.DOTALL)
BLOCKS = [(match[1], match[2]) for match in BLOCK.finditer(PAGE)]


def texts(kind: str) -> list[str]:
    return [text for name, text in BLOCKS if name == kind]


EXAMPLES = list(zip(texts("json mapping"), texts("json record"), texts("json product"), strict=True))


@pytest.mark.parametrize(("mapping", "record", "product"), EXAMPLES)
def test_an_example_gives_the_product_beside_it(mapping: str, record: str, product: str) -> None:
    found: dict[str, Any] = json.loads(
        msgspec.json.encode(Mapping(json.loads(mapping)).product(decode(record.encode())))
    )
    expected = json.loads(product)
    assert {key: found[key] for key in expected} == expected


def test_the_csv_example_is_read_with_the_mapping_below_it(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    path.write_text(texts("csv")[0], encoding="utf-8")
    connector = feed_connector(path, json.loads(texts("json mapping")[-1]))
    (page,) = [page for spec in connector.plan(Scope(type="full")).batches for page in connector.fetch(spec)]
    cup, plate = (connector.normalize(raw) for raw in page.records)
    assert json.loads(page.records[0].payload) == json.loads(texts("json record")[-1])
    assert (cup.title, plate.price, plate.status) == ("陶瓷杯, 白色", None, "delisted")
