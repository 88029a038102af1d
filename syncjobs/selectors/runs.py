"""What a run did: its receipt, the changes it made, its history, and how it differs from another run."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from django.db.models import QuerySet
from django.utils.translation import gettext

from products.models import Product, ProductChange
from syncjobs.models import HeldProduct, SyncJob, SyncLog
from syncjobs.selectors.jobs import JobView, job_view, jobs
from syncjobs.selectors.receipts import ReceiptParts, fields_changed, receipt_parts, seconds
from system import sql

# So many products are named in a comparison.
COMPARED = 100
COUNTERS = (
    "processed",
    "created",
    "updated",
    "unchanged",
    "rejected",
    "held",
    "delisted",
    "missing",
    "hidden",
    "calls",
)

_COMPARE = """
WITH here AS (SELECT DISTINCT product_id FROM products_productchange WHERE job_id = %(here)s::bigint),
     there AS (SELECT DISTINCT product_id FROM products_productchange WHERE job_id = %(there)s::bigint)
SELECT CASE WHEN there.product_id IS NULL THEN 'only_job' WHEN here.product_id IS NULL THEN 'only_other' ELSE 'both' END
    AS place, count(*) AS n, (array_agg(coalesce(here.product_id, there.product_id)
        ORDER BY coalesce(here.product_id, there.product_id)))[1:%(shown)s::int] AS ids
FROM here FULL JOIN there ON there.product_id = here.product_id GROUP BY 1
"""


class DoubtView(TypedDict):
    """Why the walk may miss something, in the active language."""

    code: str
    level: str
    message: str
    details: dict[str, Any]


class JobDetail(JobView, ReceiptParts):
    """A job with what it came to beyond its counters, and what its walk may miss."""

    doubts: list[DoubtView]


class ChangeView(TypedDict):
    """What a run did to one product, or would do: `held` ones have no id and wait for a decision.

    `step` is where a held product would go, after `walks` complete walks in a row that missed it.
    """

    id: int | None
    kind: str
    product_id: int
    sku: str | None
    title: str | None
    fields: dict[str, Any]
    reason: str
    step: str | None
    walks: int | None
    at: datetime | None


class EventView(TypedDict):
    """One step of a run; `status` is the job's after it, None when the step did not change it."""

    id: int
    type: str
    level: str
    message: str
    status: str | None
    context: dict[str, Any]
    at: datetime


class Receipt(TypedDict):
    """What a run came to. `rate_per_second` in products."""

    task_id: str
    type: str
    status: str
    source: str
    dry_run: bool
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None
    rate_per_second: float
    counters: dict[str, int]
    fields_changed: dict[str, int]
    doubts: list[DoubtView]


class Products(TypedDict):
    """Products of one kind: how many, and the first of them."""

    count: int
    ids: list[int]


class Comparison(TypedDict):
    """Two runs; `differences` are those of `job` less those of `other`."""

    job: Receipt
    other: Receipt
    differences: dict[str, float | int | None]
    fields_changed: dict[str, dict[str, int]]
    products: dict[str, Products]


def job_detail(row: SyncJob) -> JobDetail:
    """Show one job with all it came to; its source must be joined."""
    return {**job_view(row), **receipt_parts(row), "doubts": doubts(row)}


def doubts(row: SyncJob) -> list[DoubtView]:
    """What the plan of the run could not promise."""
    return [
        {
            "code": doubt["code"],
            "level": doubt["level"],
            "message": gettext(doubt["message"]),
            "details": doubt["details"],
        }
        for doubt in row.doubts
    ]


def changes(job_id: int, filters: Mapping[str, Any]) -> "QuerySet[ProductChange]":
    """The run's lines in the change feed.

    Args:
        filters: kind and field (any of these), product_id.
    """
    found = ProductChange.objects.filter(job_id=job_id)
    if filters.get("kind"):
        found = found.filter(kind__in=filters["kind"])
    if filters.get("field"):
        found = found.filter(fields__has_any_keys=filters["field"])
    return found.filter(product_id=filters["product_id"]) if filters.get("product_id") else found


def held(job_id: int, filters: Mapping[str, Any]) -> "QuerySet[HeldProduct]":
    """The products whose delisting waits, or waited, for a decision."""
    found = HeldProduct.objects.filter(job_id=job_id)
    return found.filter(product_id=filters["product_id"]) if filters.get("product_id") else found


def change_view(line: ProductChange) -> ChangeView:
    """Show a line of the change feed; `with_names` tells which product it is about."""
    return {
        "id": line.pk,
        "kind": line.kind,
        "product_id": line.product_id,
        "sku": None,
        "title": None,
        "fields": line.fields,
        "reason": line.reason,
        "step": None,
        "walks": None,
        "at": line.at,
    }


def held_view(row: HeldProduct) -> ChangeView:
    """Show a product that is held; `with_names` tells which it is and where it stands."""
    return {
        "id": None,
        "kind": "held",
        "product_id": row.product_id,
        "sku": None,
        "title": None,
        "fields": {"status": [None, Product.Status.DELISTED.value]} if row.step == HeldProduct.Step.DELISTED else {},
        "reason": ProductChange.Reason.NOT_IN_WALK.value,
        "step": row.step,
        "walks": row.walks,
        "at": None,
    }


def with_names(items: Sequence[ChangeView]) -> None:
    """Fill in SKU and title of the products, and where held ones stand now; purged products keep null."""
    named = Product.objects.filter(pk__in={item["product_id"] for item in items})
    names = {pk: rest for pk, *rest in named.values_list("pk", "sku", "title", "status")}
    for item in items:
        if item["product_id"] in names:
            item["sku"], item["title"], status = names[item["product_id"]]
            if "status" in item["fields"] and item["kind"] == "held":
                item["fields"]["status"][0] = status


def events(job_id: int) -> "QuerySet[SyncLog]":
    """The lines of the run's log, which tell every change of its state."""
    return SyncLog.objects.filter(job_id=job_id)


def event_view(line: SyncLog) -> EventView:
    """Show one step in the active language."""
    context = dict(line.context)
    status = context.pop("status", None)
    return {
        "id": line.pk,
        "type": "status" if status else "log",
        "level": line.level,
        "message": gettext(line.message),
        "status": status,
        "context": context,
        "at": line.created_at,
    }


def receipt(row: SyncJob) -> Receipt:
    """What a run came to; its source must be joined."""
    return {
        "task_id": row.task_id,
        "type": row.type,
        "status": row.state,
        "source": row.source.name,
        "dry_run": row.dry_run,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "seconds": seconds(row.started_at, row.finished_at),
        "rate_per_second": job_view(row)["progress"]["rate_per_second"],
        "counters": {name: getattr(row, name) for name in COUNTERS},
        "fields_changed": fields_changed(row),
        "doubts": doubts(row),
    }


def previous(row: SyncJob) -> SyncJob | None:
    """The last job before this one that ran over the same source and is over; None for the first one."""
    earlier = jobs().filter(source_id=row.source_id, pk__lt=row.pk, dry_run=False)
    return earlier.exclude(state__in=SyncJob.OPEN_STATES).order_by("-pk").first()


def comparison(job: SyncJob, other: SyncJob) -> Comparison:
    """Two runs side by side; their sources must be joined."""
    here, there = receipt(job), receipt(other)
    names = sorted(here["fields_changed"].keys() | there["fields_changed"].keys())
    return {
        "job": here,
        "other": there,
        "differences": _differences(here, there),
        "fields_changed": {
            name: {"job": here["fields_changed"].get(name, 0), "other": there["fields_changed"].get(name, 0)}
            for name in names
        },
        "products": _compared(job.pk, other.pk),
    }


def _differences(here: Receipt, there: Receipt) -> dict[str, float | int | None]:
    counters = {name: here["counters"][name] - there["counters"][name] for name in COUNTERS}
    known = here["seconds"] is not None and there["seconds"] is not None
    seconds = round((here["seconds"] or 0) - (there["seconds"] or 0), 3) if known else None
    return {
        **counters,
        "seconds": seconds,
        "rate_per_second": round(here["rate_per_second"] - there["rate_per_second"], 1),
    }


def _compared(here: int, there: int) -> dict[str, Products]:
    """The products that changed in both runs, and in one only."""
    found: dict[str, Products] = {name: {"count": 0, "ids": []} for name in ("both", "only_job", "only_other")}
    for row in sql.rows(_COMPARE, {"here": here, "there": there, "shown": COMPARED}):
        found[row["place"]] = {"count": row["n"], "ids": row["ids"]}
    return found
