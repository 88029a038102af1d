"""Reads of what sources answered."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from products.models import Product
from syncjobs.models import RawAnswer, Source
from syncjobs.selectors.jobs import job_names
from syncjobs.selectors.rejects import SHOWN_BYTES, readable
from system import packing


def raw_answers(filters: Mapping[str, Any]) -> "QuerySet[RawAnswer]":
    """Kept answers.

    Args:
        filters: product_id; source (a name); source_id, of the default source unless one is named.
    """
    found = RawAnswer.objects.defer("payload")
    source = filters.get("source")
    if filters.get("product_id"):
        product = Product.objects.filter(pk=filters["product_id"]).exclude(source="").first()
        if product is None:
            return found.none()
        found = found.filter(source=product.source, source_id=product.source_id)
    if filters.get("source_id"):
        source = source or Source.objects.filter(is_default=True).values_list("name", flat=True).first()
        found = found.filter(source_id=filters["source_id"])
    return found.filter(source=source) if source else found


def with_tasks(items: list[dict[str, Any]]) -> None:
    """Fill in the public ids of the jobs."""
    names = job_names({item["task_id"] for item in items})
    for item in items:
        item["task_id"] = names.get(item["task_id"])


def raw_view(row: RawAnswer) -> dict[str, Any]:
    """Show a kept answer without its payload; `with_tasks` names the job that heard it first."""
    return {
        "id": row.pk,
        "source": row.source,
        "source_id": row.source_id,
        "digest": bytes(row.digest).hex(),
        "payload_bytes": row.size,
        "task_id": row.job_id,
        "first_at": row.first_at,
        "seen_at": row.seen_at,
        "applied_at": row.applied_at,
    }


def raw_detail(row: RawAnswer) -> dict[str, Any]:
    """Show a kept answer with what the source sent: JSON, or text where it is none or is shown in part only."""
    head = packing.head(row.payload, SHOWN_BYTES)
    whole = len(head) == row.size
    shown = raw_view(row) | {"payload": readable(head, whole=whole), "payload_truncated": not whole}
    with_tasks([shown])
    return shown
