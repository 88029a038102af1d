"""Reads of rejected records; a payload is shown as far as a reader can use it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

import orjson
from django.db.models import BinaryField, F, Func, IntegerField, Q, QuerySet, Value

from syncjobs.models import RejectedRecord

LISTED_BYTES, SHOWN_BYTES = 4_096, 262_144
# PostgreSQL's own limit.
LARGEST_BYTES = 2**30
EXPORTED_AT_ONCE = 100


class RejectView(TypedDict):
    """`payload` is what the source sent: JSON, or text where it is none or is shown in part only."""

    id: int
    source: str
    source_id: str
    step: str
    code: str
    field: str
    message: str
    payload: Any
    payload_bytes: int
    payload_truncated: bool
    retries: int
    outcome: str | None
    resolved_at: datetime | None
    created_at: datetime


def rejects(job_id: int, filters: Mapping[str, Any]) -> "QuerySet[RejectedRecord]":
    """The rejected records of a run, with the beginning of what the source sent; see `matching`."""
    return _headed(matching(job_id, filters), LISTED_BYTES)


def matching(job_id: int, filters: Mapping[str, Any]) -> "QuerySet[RejectedRecord]":
    """The rejected records of a run.

    Args:
        filters: code, step, field (any of these), source_id, resolved, q (part of the reason or of the id).
    """
    found = RejectedRecord.objects.filter(job_id=job_id)
    for name in ("code", "step", "field"):
        if filters.get(name):
            found = found.filter(**{f"{name}__in": filters[name]})
    if filters.get("source_id"):
        found = found.filter(source_id=filters["source_id"])
    if filters.get("q"):
        found = found.filter(Q(message__icontains=filters["q"]) | Q(source_id__icontains=filters["q"]))
    if filters.get("resolved") is not None:
        found = found.filter(resolved_at__isnull=not filters["resolved"])
    return found


def whole_rejects(job_id: int, filters: Mapping[str, Any]) -> Iterator[Sequence[RejectView]]:
    """The same with all that the source sent, oldest first, a few at a time."""
    found, last = _headed(matching(job_id, filters), LARGEST_BYTES).order_by("pk"), 0
    while rows := list(found.filter(pk__gt=last)[:EXPORTED_AT_ONCE]):
        last = rows[-1].pk
        yield [reject_view(row) for row in rows]


def _headed(found: "QuerySet[RejectedRecord]", limit: int) -> "QuerySet[RejectedRecord]":
    """With the beginning of the payload only; the whole of it may be megabytes."""
    beginning = Func(F("payload"), Value(1), Value(limit), function="substring", output_field=BinaryField())
    length = Func(F("payload"), function="octet_length", output_field=IntegerField())
    return found.defer("payload").annotate(head=beginning, size=length)


def reject(reject_id: int) -> RejectedRecord:
    """One rejected record, with as much of its payload as is shown."""
    return _headed(RejectedRecord.objects.all(), SHOWN_BYTES).get(pk=reject_id)


def reject_view(row: Any) -> RejectView:
    """Show a record read by `rejects` or `reject`."""
    head: bytes = bytes(row.head)
    return {
        "id": row.pk,
        "source": row.source,
        "source_id": row.source_id,
        "step": row.step,
        "code": row.code,
        "field": row.field,
        "message": row.message,
        "payload": readable(head, whole=len(head) == row.size),
        "payload_bytes": row.size,
        "payload_truncated": len(head) < row.size,
        "retries": row.retries,
        "outcome": row.outcome or None,
        "resolved_at": row.resolved_at,
        "created_at": row.created_at,
    }


def readable(head: bytes, *, whole: bool) -> Any:
    """What a source sent as a reader can use it: JSON, or text where it is none or is not whole."""
    if whole:
        try:
            return orjson.loads(head)
        except orjson.JSONDecodeError:
            pass
    return head.decode("utf-8", "replace")
