"""The feed connector beyond what every connector must do."""

import json
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from syncjobs.connectors.feed import connector as connector_module
from syncjobs.connectors.feed.planning import DistinctCounter
from syncjobs.engine.contracts import Connector, Page, Scope
from syncjobs.engine.errors import FatalSourceError
from tests.connectors.cases import MAPPING, feed_connector, feed_from, record, write_ndjson

FULL = Scope(type="full", batch_size=4)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "feed.ndjson"


def pages(connector: Connector, scope: Scope = FULL) -> list[Page]:
    return [page for spec in connector.plan(scope).batches for page in connector.fetch(spec)]


def ids(found: list[Page]) -> list[str | None]:
    return [raw.source_id for page in found for raw in page.records]


def test_broken_lines_are_rejected_one_by_one_with_their_bytes(path: Path) -> None:
    write_ndjson(path, [record(1)])
    broken = [b'{"id": "2", "ti', b"[1]", b'{"id": "3", "title": "\xff"}', b'{"title": "no id"}']
    path.write_bytes(path.read_bytes() + b"\n".join(broken) + b"\n" + json.dumps(record(4)).encode())
    found = pages(feed_connector(path))
    assert [payload for page in found for payload, _ in page.rejected] == broken[:3]
    assert all(reason for page in found for _, reason in page.rejected)
    assert ids(found) == [record(1)["id"], None, record(4)["id"]]


def test_records_without_a_readable_id_keep_a_walk_from_proving_anything(path: Path) -> None:
    write_ndjson(path, [record(1), record(2), record(1)])
    assert feed_connector(path).plan(FULL).total == 2
    with path.open("ab") as file:
        file.write(b"{}\n{\n")
    plan = feed_connector(path).plan(FULL)
    assert plan.total == 4
    assert {page.total for page in pages(feed_connector(path))} == {4}


def test_only_a_full_walk_over_everything_is_provable(path: Path) -> None:
    write_ndjson(path, [record(number) for number in range(9)])
    connector = feed_connector(path)
    assert connector.plan(FULL).provable
    limited = [
        Scope(type="incremental", since=datetime(2025, 1, 1, tzinfo=UTC)),
        Scope(type="full", category_id=1031922),
        Scope(type="full", offer_ids=(record(3)["id"],)),
    ]
    assert not any(connector.plan(scope).provable for scope in limited)


def test_an_incremental_walk_takes_what_changed_and_what_does_not_say(path: Path) -> None:
    undated = record(40) | {"updated": None}
    odd = record(41) | {"updated": "soon"}
    write_ndjson(path, [*(record(number) for number in range(28)), undated, odd])
    scope = Scope(type="incremental", since=datetime(2025, 9, 26, 2, 0, tzinfo=UTC), batch_size=2)
    assert ids(pages(feed_connector(path), scope)) == [record(number)["id"] for number in (25, 26, 27, 40, 41)]


def test_without_update_times_an_incremental_walk_takes_everything(path: Path) -> None:
    write_ndjson(path, [record(number) for number in range(5)])
    connector = feed_connector(path, {"id": "id", "title": "title"})
    assert len(ids(pages(connector, Scope(type="incremental", since=datetime.now(UTC))))) == 5


def test_a_window_takes_what_changed_in_it(path: Path) -> None:
    write_ndjson(path, [record(number) for number in range(28)])
    since, until = (datetime(2025, 9, day, 2, tzinfo=UTC) for day in (6, 10))
    scope = Scope(type="incremental", since=since, until=until, batch_size=3)
    assert ids(pages(feed_connector(path), scope)) == [record(number)["id"] for number in (5, 6, 7, 8)]


def test_without_update_times_no_window_can_be_selected(path: Path) -> None:
    write_ndjson(path, [record(1)])
    moment = datetime(2025, 11, 1, tzinfo=UTC)
    with pytest.raises(FatalSourceError) as error:
        feed_connector(path, {"id": "id", "title": "title"}).plan(Scope(type="incremental", since=moment, until=moment))
    assert error.value.code == "scope_unsupported"


def test_a_category_selects_by_the_platforms_number(path: Path) -> None:
    write_ndjson(path, [record(number) for number in range(9)])
    scope = Scope(type="full", category_id=1031923)
    assert ids(pages(feed_connector(path), scope)) == [record(number)["id"] for number in (1, 4, 7)]


def test_a_category_cannot_be_selected_by_names(path: Path) -> None:
    write_ndjson(path, [record(1)])
    mapping = {"id": "id", "title": "title", "category": "cat"}
    with pytest.raises(FatalSourceError) as error:
        feed_connector(path, mapping).plan(Scope(type="full", category_id=5))
    assert error.value.code == "scope_unsupported"


def test_a_feed_that_changed_after_the_plan_is_refused(path: Path) -> None:
    write_ndjson(path, [record(number) for number in range(9)])
    connector = feed_connector(path)
    first, *rest = connector.plan(FULL).batches
    assert ids(list(connector.fetch(first)))
    os.utime(path, ns=(1, 1))
    with pytest.raises(FatalSourceError) as error:
        list(connector.fetch(rest[0]))
    assert error.value.code == "feed_changed"


def test_large_records_come_in_several_pages(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connector_module, "PAGE_BYTES", 300)
    write_ndjson(path, [record(number) for number in range(9)])
    found = pages(feed_connector(path), Scope(type="full"))
    assert len(found) > 3
    assert len(ids(found)) == 9


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"mapping": {"titel": "x"}}, "invalid_mapping"),
        ({"mapping": 3}, "invalid_options"),
        ({"path": ""}, "invalid_options"),
        ({"path": 5}, "invalid_options"),
        ({"path": "a\0b"}, "invalid_options"),
        ({"format": "xml"}, "invalid_options"),
        ({"delimiter": "||"}, "invalid_options"),
        ({"item": "data"}, "invalid_options"),
        ({"path": "/nowhere/feed.csv"}, "feed_missing"),
        ({"path": "/"}, "feed_not_a_file"),
        ({"path": "x" * 5000}, "feed_unreadable"),
    ],
)
def test_wrong_options_stop_the_plan_and_are_reported_by_the_check(
    path: Path, options: dict[str, Any], code: str
) -> None:
    write_ndjson(path, [record(1)])
    connector = feed_from({"path": str(path), "mapping": MAPPING} | options)
    with pytest.raises(FatalSourceError) as error:
        connector.plan(FULL)
    assert error.value.code == code
    last = connector.check().checks[-1]
    assert (last.ok, last.code) == (False, code)
    assert last.action == error.value.suggestion


def test_a_check_names_the_field_that_does_not_map(path: Path) -> None:
    write_ndjson(path, [record(1) | {"price": -1}])
    (*_, last) = feed_connector(path).check().checks
    assert (last.ok, last.code) == (False, "invalid_value")
    assert "record 1: price:" in last.message
    assert "price" in last.action


def test_a_check_of_a_mostly_good_feed_is_good_and_shows_the_first_error(path: Path) -> None:
    write_ndjson(path, [record(1), record(2) | {"title": ""}, record(3)])
    report = feed_connector(path).check()
    assert report.ok
    assert "2 of the first 3" in report.checks[-1].message
    assert "record 2: title" in report.checks[-1].message


def test_different_ids_are_counted() -> None:
    with DistinctCounter() as counter:
        for number in range(30_000):
            counter.add(str(number % 20_000))
        assert counter.count() == 20_000


def test_a_feed_that_repeats_an_id_keeps_both_records(path: Path) -> None:
    write_ndjson(path, [record(1), record(2), record(1)])
    assert Counter(ids(pages(feed_connector(path))))[record(1)["id"]] == 2
