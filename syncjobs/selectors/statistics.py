"""Syncs in numbers: by day (of the platform's own zone), by source, or both. A job belongs to the day it was made."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import product
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django.conf import settings

from syncjobs.models import Source
from system import sql

Group = Literal["day", "source", "both"]

STATES = ("succeeded", "partial", "failed", "stopped", "held")
COUNTERS = ("processed", "created", "updated", "unchanged", "rejected", "delisted", "calls")

_STATES = ", ".join(f"count(*) FILTER (WHERE j.state = '{state}') AS {state}" for state in STATES)
_COUNTERS = ", ".join(f"sum(j.{name})::bigint AS {_name}" for name, _name in ((n, f"n_{n}") for n in COUNTERS))
_NUMBERS = f"""
SELECT (j.created_at AT TIME ZONE %(zone)s)::date AS day, s.name AS source, count(*) AS jobs,
    count(*) FILTER (WHERE j.state IN ('pending', 'running', 'stopping')) AS active, {_STATES}, {_COUNTERS},
    coalesce(sum(extract(epoch FROM j.finished_at - j.started_at)), 0)::float8 AS seconds
FROM syncjobs_syncjob j JOIN syncjobs_source s ON s.id = j.source_id
WHERE j.created_at >= %(since)s AND j.created_at < %(until)s AND NOT j.dry_run
    AND (%(source)s::text IS NULL OR s.name = %(source)s::text)
GROUP BY 1, 2
"""  # noqa: S608 - constants only

Numbers = dict[str, Any]
# A day and a source, None where they are not told apart.
Place = tuple[date | None, str | None]
ADDED = ("jobs", "active", *STATES, *(f"n_{name}" for name in COUNTERS), "seconds")


def statistics(since: datetime, until: datetime, *, source: str | None, group: Group) -> dict[str, Any]:
    """Totals of a time, and a series in which days without a job stand as zeros. Dry runs do not count.

    Args:
        since: jobs made at this time or later.
        until: jobs made before.
        source: the name of the only source that counts.
    """
    zone = ZoneInfo(settings.API_INPUT_TIME_ZONE)
    values = {"zone": zone.key, "since": since, "until": until, "source": source}
    rows = sql.rows(_NUMBERS, values)
    found = _by_place(rows, group)
    days = list(_days(since.astimezone(zone).date(), (until - timedelta(microseconds=1)).astimezone(zone).date()))
    return {
        "start_time": since,
        "end_time": until,
        "group": group,
        "totals": _shown(_sum(rows)),
        "items": [_item(place, found.get(place, [])) for place in _places(days, source, group)],
    }


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _places(days: list[date], source: str | None, group: Group) -> list[Place]:
    """The items of the series; None where nothing is told apart."""
    names = [source] if source else sorted(Source.objects.values_list("name", flat=True)) if group != "day" else []
    if group == "day":
        return [(day, None) for day in days]
    return [(None, name) for name in names] if group == "source" else list(product(days, names))


def _by_place(rows: list[Numbers], group: Group) -> dict[Place, list[Numbers]]:
    found: dict[Place, list[Numbers]] = {}
    for row in rows:
        place = (None if group == "source" else row["day"], None if group == "day" else row["source"])
        found.setdefault(place, []).append(row)
    return found


def _item(place: Place, rows: list[Numbers]) -> Numbers:
    return {"date": place[0], "source": place[1], **_shown(_sum(rows))}


def _sum(rows: list[Numbers]) -> Numbers:
    return {name: sum(row[name] for row in rows) for name in ADDED}


def _shown(numbers: Mapping[str, Any]) -> Numbers:
    seconds = numbers["seconds"]
    return {
        **{name: numbers[name] for name in ("jobs", "active", *STATES)},
        **{f"products_{name}": numbers[f"n_{name}"] for name in COUNTERS if name != "calls"},
        "calls": numbers["n_calls"],
        "seconds": round(seconds, 1),
        "rate_per_second": round(numbers["n_processed"] / seconds, 1) if seconds else 0.0,
    }
