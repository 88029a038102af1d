"""From validated parameters to rows; only declared names ever reach the database."""

from django.db.models import QuerySet

from syncjobs import selectors
from syncjobs.models import SyncJob, SyncLog
from system.api.query import Query

JOB_LOOKUPS = {
    "status": "state__in",
    "type": "type",
    "source": "source__name",
    "trigger": "trigger__in",
    "dry_run": "dry_run",
    "start_time": "created_at__gte",
    "end_time": "created_at__lt",
}
LOG_LOOKUPS = {"level": "level__in", "start_time": "created_at__gte", "end_time": "created_at__lt"}


def filter_jobs(query: Query) -> "QuerySet[SyncJob]":
    """Jobs that match `JobsQuery`."""
    return selectors.jobs().filter(**_conditions(query, JOB_LOOKUPS))


def filter_logs(query: Query) -> "QuerySet[SyncLog]":
    """Log lines that match `LogsQuery`."""
    return selectors.logs(query.get("task_id")).filter(**_conditions(query, LOG_LOOKUPS))


def _conditions(query: Query, lookups: dict[str, str]) -> dict[str, object]:
    return {lookup: query[name] for name, lookup in lookups.items() if query.get(name) not in (None, [])}
