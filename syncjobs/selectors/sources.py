"""Reads of sources: their settings, how long they are authorised, what they brought last. Never a secret."""

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from syncjobs.models import Source
from syncjobs.services.scopes import scope_digest
from syncjobs.services.sources import stored_secrets
from system import sql

LAST_JOBS_SQL = """
SELECT s.id AS source_id, j.task_id, j.type, j.state AS status, j.started_at, j.finished_at
FROM unnest(%s::bigint[]) AS s (id), LATERAL (
    SELECT * FROM syncjobs_syncjob WHERE source_id = s.id ORDER BY id DESC LIMIT 1) AS j
"""
WATERMARKS_SQL = "SELECT source, value FROM syncjobs_watermark WHERE scope = %s AND source = ANY(%s)"


def sources() -> "QuerySet[Source]":
    """All sources."""
    return Source.objects.all()


def source_views(rows: Collection[Source]) -> list[dict[str, Any]]:
    """Show sources, each with its last job and up to when its whole catalogue is synced; two queries for all."""
    ids, names = [row.pk for row in rows], [row.name for row in rows]
    jobs = {found.pop("source_id"): found for found in sql.rows(LAST_JOBS_SQL, [ids])}
    marks = {found["source"]: found["value"] for found in sql.rows(WATERMARKS_SQL, [scope_digest(None, ()), names])}
    return [_view(row) | {"last_job": jobs.get(row.pk), "synced_until": marks.get(row.name)} for row in rows]


def days_left(row: Source) -> int | None:
    """Whole days until the account must authorise the app again, negative once that is over; None while unknown.

    Only the end of the refresh token asks for somebody; access tokens are renewed by the workers (1688, OAuth).
    """
    return None if row.refresh_expires_at is None else (row.refresh_expires_at - timezone.now()).days


def _view(row: Source) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "kind": row.kind,
        "is_default": row.is_default,
        "is_enabled": row.is_enabled,
        "app_key": row.app_key,
        "options": row.options,
        "calls_per_second": row.calls_per_second,
        "daily_call_limit": row.daily_call_limit,
        "hold_at_percent": row.hold_at_percent,
        "delist_limit_percent": row.delist_limit_percent,
        "delist_after_walks": row.delist_after_walks,
        "field_policies": row.field_policies,
        "has_secrets": stored_secrets(row),
        "access_expires_at": row.access_expires_at,
        "refresh_expires_at": row.refresh_expires_at,
        "authorization_days_left": days_left(row),
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
