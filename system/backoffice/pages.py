"""Paging through tables of any size: counts stop early, totals of whole tables come from the planner's statistics."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.db.models import QuerySet

from system import sql

# Beyond this many rows nobody pages: they filter. It also bounds OFFSET.
DEPTH = 10_000

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:
    _Paginator = Paginator


def estimated_rows(table: str) -> int:
    """How many rows a table holds, as of its last ANALYZE; 0 before the first one."""
    row = sql.fetch_one("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::text::regclass", [table])
    return max(0, int(row[0])) if row else 0


def capped_count(queryset: "QuerySet[Any]", limit: int) -> int:
    """The number of rows, but never more than `limit` + 1 are looked at."""
    return queryset.order_by()[: limit + 1].count()


class CappedPaginator(_Paginator):
    """A paginator whose cost does not grow with the table."""

    template_name = "backoffice/pagination.html"

    @cached_property
    def found(self) -> int:
        """Rows looked at: exact up to `DEPTH`."""
        return capped_count(self.object_list, DEPTH)  # type: ignore[arg-type]

    @cached_property
    def count(self) -> int:
        """Rows that can be paged through."""
        return min(self.found, DEPTH)

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than can be paged through."""
        return self.found > DEPTH

    @cached_property
    def total(self) -> int:
        """What to tell people: exact when small, estimated for a whole big table, else the cap."""
        queryset: Any = self.object_list
        if not self.is_capped or queryset.query.where:
            return self.count
        return max(estimated_rows(queryset.model._meta.db_table), DEPTH)
