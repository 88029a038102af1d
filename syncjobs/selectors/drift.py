"""How a source's answers have changed: fields never seen before, of another type, or gone, since when and how often."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import accumulate
from typing import Any, NamedTuple, TypedDict

from syncjobs.selectors.jobs import job_names
from system import sql

# Two rows of the path "": how many answers a run looked at, and how many it had.
LOOKED_AT, ALL = "object", "array"
# The first answers say what is usual; what comes after them is news.
USUAL_ANSWERS = 20
# Gone is what should have been there this often since.
EXPECTED = 5

_RUNS = """
SELECT job_id, answers, created_at FROM syncjobs_answerfield
WHERE source = %s AND path = '' AND kind = 'object' ORDER BY job_id
"""
_FIELDS = """
SELECT path, kind, min(job_id) AS first_job, max(job_id) AS last_job, min(created_at) AS first_at,
    sum(answers)::bigint AS answers
FROM syncjobs_answerfield WHERE source = %s AND path <> '' GROUP BY 1, 2 ORDER BY 1, 3, 2
"""


class Finding(NamedTuple):
    """One change: `new`, `changed` or `gone`.

    `share_percent` says in how many answers the field stands since, of one that is gone in how many it stood before.
    """

    change: str
    path: str
    type: str | None
    types_before: list[str]
    since: datetime
    job_id: int
    share_percent: float


class DriftView(TypedDict):
    """A source's answers: the last look, and what has changed. Of many answers only a part was looked at."""

    source: str
    runs: int
    task_id: str | None
    at: datetime | None
    answers: int
    looked_at: int
    findings: list[dict[str, Any]]


class _Field(NamedTuple):
    path: str
    kind: str
    first_job: int
    last_job: int
    first_at: datetime
    answers: int


class _Runs:
    """The runs of a source in order, and how many answers lie between two of them."""

    def __init__(self, rows: list[tuple[int, int, datetime]]) -> None:
        self.jobs = [row[0] for row in rows]
        self.at = [row[2] for row in rows]
        self._sums = [0, *accumulate(row[1] for row in rows)]

    def usual_until(self) -> int:
        """The run with which enough is known to call something new."""
        place = bisect_left(self._sums, USUAL_ANSWERS) - 1
        return self.jobs[min(max(place, 0), len(self.jobs) - 1)]

    def answers(self, first: int, last: int) -> int:
        """How many were looked at from one run to another, both included."""
        return self._sums[bisect_right(self.jobs, last)] - self._sums[bisect_left(self.jobs, first)]

    def after(self, job_id: int) -> tuple[int, datetime] | None:
        """The run that followed."""
        place = bisect_right(self.jobs, job_id)
        return (self.jobs[place], self.at[place]) if place < len(self.jobs) else None


def findings(source: str) -> list[Finding]:
    """All that has changed in a source's answers, the latest first; parts of a new or lost field are not told."""
    runs = _Runs(sql.fetch_all(_RUNS, [source]))
    if not runs.jobs:
        return []
    paths: dict[str, list[_Field]] = {}
    for row in sql.fetch_all(_FIELDS, [source]):
        paths.setdefault(row[0], []).append(_Field(*row))
    found = _topmost(finding for kinds in paths.values() for finding in _of_path(runs, kinds))
    return sorted(found, key=lambda each: (-each.job_id, each.change, each.path))


def _of_path(runs: _Runs, kinds: list[_Field]) -> Iterator[Finding]:
    """What has changed about one field; its types come in the order of their appearance."""
    first, last = kinds[0], max(kinds, key=lambda kind: kind.last_job)
    usual, newest = runs.usual_until(), runs.jobs[-1]
    for number, kind in enumerate(kinds):
        if kind.first_job <= usual:
            continue
        before = [earlier.kind for earlier in kinds[:number] if earlier.first_job < kind.first_job]
        change = "changed" if before else "new"
        share = _share(kind.answers, runs.answers(kind.first_job, newest))
        yield Finding(change, kind.path, kind.kind, before, kind.first_at, kind.first_job, share)
    following = runs.after(last.last_job)
    stood = _share(sum(kind.answers for kind in kinds), runs.answers(first.first_job, last.last_job))
    if following and runs.answers(following[0], newest) * stood >= EXPECTED * 100:
        yield Finding("gone", last.path, None, [kind.kind for kind in kinds], following[1], following[0], stood)


def _share(answers: int, of: int) -> float:
    return round(min(100.0, answers * 100 / of), 1) if of else 0.0


def _topmost(found: Iterable[Finding]) -> list[Finding]:
    """Without what came or went together with the field it is a part of."""
    everything = list(found)
    moves = {(each.change, each.path, each.job_id) for each in everything if each.change != "changed"}
    return [
        each
        for each in everything
        if not any((each.change, above, each.job_id) in moves for above in _above(each.path))
    ]


def _above(path: str) -> Iterator[str]:
    """The fields that a field is a part of."""
    for place, sign in enumerate(path):
        if sign == "." or path.startswith("[]", place):
            yield path[:place]


def drift_view(source: str, filters: Mapping[str, Any]) -> DriftView:
    """Show how a source's answers have changed.

    Args:
        filters: change (any of these), since (a moment), job_id (what came with this run).
    """
    found = [each for each in findings(source) if _fits(each, filters)]
    row = sql.one(
        "SELECT job_id, max(created_at) AS at, max(answers) FILTER (WHERE kind = 'object') AS looked_at,"
        " max(answers) FILTER (WHERE kind = 'array') AS answers, count(*) OVER () AS runs"
        " FROM syncjobs_answerfield WHERE source = %s AND path = '' GROUP BY job_id ORDER BY job_id DESC LIMIT 1",
        [source],
    )
    last: dict[str, Any] = row or {"job_id": 0, "at": None, "looked_at": 0, "answers": 0, "runs": 0}
    names = job_names({last["job_id"], *(each.job_id for each in found)})
    return {
        "source": source,
        "runs": last["runs"],
        "task_id": names.get(last["job_id"]),
        "at": last["at"],
        "answers": last["answers"],
        "looked_at": last["looked_at"],
        "findings": [_shown(each, names) for each in found],
    }


def _fits(finding: Finding, filters: Mapping[str, Any]) -> bool:
    return (
        (not filters.get("change") or finding.change in filters["change"])
        and (not filters.get("since") or finding.since >= filters["since"])
        and (filters.get("job_id") is None or finding.job_id == filters["job_id"])
    )


def _shown(finding: Finding, names: Mapping[int, str]) -> dict[str, Any]:
    shown = finding._asdict()
    return {"task_id" if name == "job_id" else name: value for name, value in shown.items()} | {
        "task_id": names.get(finding.job_id)
    }
