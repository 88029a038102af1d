"""What sources' answers are made of: folded after each job into one row a field and JSON type.

Only answers a job heard for the first time are looked at: a field that is new, gone or of another type makes new bytes.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from syncjobs.models import AnswerField, RawAnswer, SyncJob, SyncLog
from syncjobs.selectors.drift import ALL, LOOKED_AT, Finding, findings
from syncjobs.services import announce, raw_answers
from system import sql
from system.queue import LEASE_SECONDS, TaskContext

# Of more answers than this every second, third, … is looked at.
SAMPLE = 5_000
READ_AT_ONCE = 50
# Objects whose keys are data, such as ids, must not fill the table.
MOST_FIELDS, LONGEST_PATH, DEEPEST = 2_000, 200, 12
# So many fields are named in a job's log.
NAMED = 20
KEPT_DAYS = 90
ROWS_AT_ONCE = 5_000
CHANGED = "the source's answers have other fields than before"

KINDS: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
# The first row of a field says since when it is known, the last one since when it is gone.
_FORGET = """
DELETE FROM syncjobs_answerfield WHERE id IN (
    SELECT f.id FROM syncjobs_answerfield f WHERE f.created_at < %s
      AND EXISTS (SELECT FROM syncjobs_answerfield e WHERE (e.source, e.path, e.kind) = (f.source, f.path, f.kind)
                  AND e.job_id < f.job_id)
      AND EXISTS (SELECT FROM syncjobs_answerfield l WHERE (l.source, l.path, l.kind) = (f.source, f.path, f.kind)
                  AND l.job_id > f.job_id)
    LIMIT %s::int)
"""

Field = tuple[str, str]


def look(payload: dict[str, int], context: TaskContext) -> dict[str, int]:
    """Handler of `sync.drift`; done twice it comes to the same.

    Returns:
        How many answers there were and how many were looked at, fields, and how many of these are new, changed, gone.
    """
    job = SyncJob.objects.select_related("source").get(pk=payload["job_id"])
    total = RawAnswer.objects.filter(job_id=job.pk).count()
    looked_at, fields = _count(job.pk, -(-total // SAMPLE), context)
    with transaction.atomic():
        AnswerField.objects.filter(job_id=job.pk).delete()
        _store(job, {("", ALL): total, ("", LOOKED_AT): looked_at, **fields} if looked_at else {})
        found = [each for each in findings(job.source.name) if each.job_id == job.pk]
        if found and not SyncLog.objects.filter(job_id=job.pk, message=CHANGED).exists():
            told = {"answers": total, "looked_at": looked_at, **_named(found)}
            announce.log(job.pk, CHANGED, level="warning", context=told)
    counts = Counter(each.change for each in found)
    return {"answers": total, "looked_at": looked_at, "fields": len(fields), **counts}


def fields_of(payload: bytes) -> set[Field]:
    """The fields of an answer with their JSON types: `saleInfo.unit`, `skuInfos[].price`; empty for what is no JSON."""
    try:
        waiting: list[tuple[str, int, Any]] = [("", 0, orjson.loads(payload))]
    except orjson.JSONDecodeError:
        return set()
    found: set[Field] = set()
    while waiting:
        path, depth, value = waiting.pop()
        if path:
            found.add((path, KINDS[type(value)]))
        if depth < DEEPEST:
            waiting += ((inner, depth + 1, part) for inner, part in _parts(path, value))
    return found


def _parts(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What lies below a value; PostgreSQL cannot store a NUL, and nobody names a field so."""
    if isinstance(value, dict):
        named = ((f"{path}.{name}" if path else name, part) for name, part in value.items())
    elif isinstance(value, list):
        named = ((f"{path}[]", part) for part in value)
    else:
        return
    yield from (each for each in named if 0 < len(each[0]) <= LONGEST_PATH and "\0" not in each[0])


def _count(job_id: int, step: int, context: TaskContext) -> tuple[int, Counter[Field]]:
    """How many answers were looked at, and in how many each field was."""
    looked_at, last, fields = 0, 0, Counter[Field]()
    of_job = RawAnswer.objects.alias(part=F("pk") % max(step, 1)).filter(job_id=job_id, part=0)
    while rows := list(of_job.filter(pk__gt=last).order_by("pk").values_list("pk", "payload")[:READ_AT_ONCE]):
        context.heartbeat(LEASE_SECONDS)
        for last, packed in rows:  # noqa: B007 (goes on behind the last one)
            found = fields_of(raw_answers.unpacked(packed))
            fields.update(found if len(fields) < MOST_FIELDS else found & fields.keys())
            looked_at += 1
    return looked_at, fields


def _store(job: SyncJob, fields: dict[Field, int]) -> None:
    now = timezone.now()
    AnswerField.objects.bulk_create(
        (
            AnswerField(job_id=job.pk, source=job.source.name, path=path, kind=kind, answers=answers, created_at=now)
            for (path, kind), answers in fields.items()
        ),
        batch_size=1000,
    )


def _named(found: list[Finding]) -> dict[str, list[str]]:
    """The first fields of each kind of change, with the types where they tell something."""
    named: dict[str, list[str]] = {}
    for each in found:
        types = f" ({', '.join(each.types_before)} → {each.type})" if each.change == "changed" else ""
        named.setdefault(each.change, []).append(each.path + types)
    return {change: paths[:NAMED] for change, paths in named.items()}


def tidy() -> int:
    """Forget what old runs looked like, but not when a field came or went; returns how many rows went."""
    oldest, removed = timezone.now() - timedelta(days=KEPT_DAYS), 0
    while gone := sql.execute(_FORGET, [oldest, ROWS_AT_ONCE]):
        removed += gone
    return removed
