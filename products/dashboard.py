"""What the dashboard says of the catalogue."""

from typing import TYPE_CHECKING, Any

from django.db.models import Count

from products.models import Product
from system import sql
from system.backoffice.pages import DEPTH, capped_count, estimated_rows

if TYPE_CHECKING:
    from django.db.models import QuerySet

TABLE = Product._meta.db_table


def catalogue_card() -> dict[str, Any]:
    """Products that are not deleted, in all and by status; when many, estimated from the planner's statistics."""
    total = capped_count(_kept(), DEPTH)
    is_estimate = total > DEPTH
    counts = _estimated(max(estimated_rows(TABLE), total)) if is_estimate else _counted()
    labels = dict(Product.Status.choices)
    return {
        "total": max(estimated_rows(TABLE), total) if is_estimate else total,
        "is_estimate": is_estimate,
        "statuses": [
            {"name": labels.get(status, status), "status": status, "count": count}
            for status, count in sorted(counts.items(), key=lambda pair: -pair[1])
        ],
    }


def _kept() -> "QuerySet[Product]":
    return Product.objects.filter(deleted_at=None)


def _counted() -> dict[str, int]:
    rows = _kept().order_by().values_list("status").annotate(n=Count("id"))
    return dict(rows)


def _estimated(total: int) -> dict[str, int]:
    row = sql.fetch_one(
        "SELECT most_common_vals::text::text[], most_common_freqs FROM pg_stats"
        " WHERE schemaname = current_schema() AND tablename = %s AND attname = 'status'",
        [TABLE],
    )
    if row is None or row[0] is None:
        return {}
    return {status: round(share * total) for status, share in zip(row[0], row[1], strict=True)}
