"""`GET sync/statistics`: by day of the platform's zone, by source, or both."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from syncjobs.models import Source, SyncJob
from tests.client import ApiClient

MAY: dict[str, Any] = {"start_time": "2026-05-01", "end_time": "2026-05-04"}


@pytest.fixture
def look(api: ApiClient, viewer: User) -> ApiClient:
    """The API as a viewer."""
    return api.as_(viewer)


@pytest.fixture
def sources(db: None) -> list[Source]:
    """Two sources."""
    return [Source.objects.create(name=name, kind="feed", is_default=name == "a") for name in ("a", "b")]


def job(source: Source, at: datetime, *, state: str = "succeeded", seconds: int = 10, **counters: Any) -> SyncJob:
    number = SyncJob.objects.count()
    return SyncJob.objects.create(
        task_id=f"sync_20260501_{number:03d}",
        source=source,
        type="full",
        scope=str(number),
        state=state,
        created_at=at,
        started_at=at,
        finished_at=at + timedelta(seconds=seconds),
        **counters,
    )


def beijing(day: int, hour: int) -> datetime:
    return datetime(2026, 5, day, hour, tzinfo=UTC) - timedelta(hours=8)


@pytest.mark.shows("000/3 GET sync/statistics")
def test_days_are_those_of_the_platform_and_none_is_left_out(look: ApiClient, sources: list[Source]) -> None:
    job(sources[0], beijing(1, 0), processed=100, created=60, updated=40, calls=7)
    job(sources[0], beijing(1, 23), state="failed")
    job(sources[1], beijing(3, 7), state="partial", processed=50, rejected=1)
    answer = look.get("sync/statistics", **MAY)
    assert [(item["date"], item["jobs"]) for item in answer["items"]] == [
        ("2026-05-01", 2),
        ("2026-05-02", 0),
        ("2026-05-03", 1),
    ]
    first = answer["items"][0]
    assert (first["succeeded"], first["failed"], first["products_created"], first["calls"]) == (1, 1, 60, 7)
    totals = answer["totals"]
    assert (totals["jobs"], totals["partial"], totals["products_processed"], totals["products_rejected"]) == (
        3,
        1,
        150,
        1,
    )
    assert (totals["seconds"], totals["rate_per_second"]) == (30.0, 5.0)


def test_by_source_every_source_is_named(look: ApiClient, sources: list[Source]) -> None:
    job(sources[0], beijing(1, 5))
    answer = look.get("sync/statistics", group="source", **MAY)
    assert [(item["source"], item["date"], item["jobs"]) for item in answer["items"]] == [
        ("a", None, 1),
        ("b", None, 0),
    ]


def test_by_both_and_for_one_source(look: ApiClient, sources: list[Source]) -> None:
    job(sources[0], beijing(2, 5))
    job(sources[1], beijing(2, 5))
    assert len(look.get("sync/statistics", group="both", **MAY)["items"]) == 6
    answer = look.get("sync/statistics", group="both", source="a", **MAY)
    assert [(item["date"], item["source"], item["jobs"]) for item in answer["items"]] == [
        ("2026-05-01", "a", 0),
        ("2026-05-02", "a", 1),
        ("2026-05-03", "a", 0),
    ]


def test_dry_runs_do_not_count(look: ApiClient, sources: list[Source]) -> None:
    job(sources[0], beijing(2, 5), dry_run=True)
    assert look.get("sync/statistics", **MAY)["totals"]["jobs"] == 0


def test_without_a_time_the_last_thirty_days_are_meant(look: ApiClient, sources: list[Source]) -> None:
    job(sources[0], timezone.now())
    items = look.get("sync/statistics")["items"]
    assert (len(items), items[-1]["jobs"]) == (30, 1)


BAD = [
    ({"start_time": "2026-05-04", "end_time": "2026-05-01"}, "start_time"),
    ({"start_time": "2025-05-01", "end_time": "2026-05-04"}, "start_time"),
    ({"start_time": "yesterday"}, "start_time"),
    ({"group": "hour"}, "group"),
    ({"foo": "1"}, "foo"),
]


@pytest.mark.parametrize(("query", "field"), BAD, ids=[str(query) for query, _ in BAD])
def test_a_time_that_makes_no_sense_is_refused(look: ApiClient, db: None, query: dict[str, Any], field: str) -> None:
    assert field in look.get("sync/statistics", expect=400, **query)["details"]
