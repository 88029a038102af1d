"""First batch of every job: read the category tree, ask the source how to walk, write the batches."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from products import catalog
from products.records import CategoryRecord
from syncjobs.engine.contracts import BatchSpec, Connector, Heartbeat, Plan, Scope
from syncjobs.engine.errors import FatalSourceError
from syncjobs.engine.pipeline import Counters
from syncjobs.models import SyncBatch, SyncJob, Watermark
from syncjobs.services import announce, batches, delisting, forecasts, walk_memory
from syncjobs.services.batches import Claim
from syncjobs.services.slices_queue import ensure_slices

INSERT_CHUNK = 1000
# A partly granted app is normal: permissions are bought one by one.
NOT_GRANTED = ("api_not_granted", "api_unsupported")
T = TypeVar("T")


def plan_job(job: SyncJob, claim: Claim, connector: Connector, pulse: Heartbeat) -> None:
    """Write the job's batches in one transaction; an empty answer for a full catalogue is held, not believed.

    Raises:
        LeaseLost, SyncCancelled: the plan is not ours to write.
        RetryableSourceError, FatalSourceError, QuotaExhausted: the source did not answer.
    """
    scope = _sized(_window(job, claim) if claim.params else scope_of(job), connector)
    categories = _categories(job, connector, pulse) if wants_categories(job) else []
    plan = connector.plan(scope)
    require_depth(job, plan)
    specs = list(_alive(plan.batches, pulse))
    if delisting.looks_wiped(job, plan):
        delisting.hold(job, claim, {"code": "empty_listing"})
        return
    forecast = forecasts.forecast(job, sum(spec.calls for spec in specs), "plan")
    with transaction.atomic():
        batches.check_fence(claim)
        _write(job, claim, plan, scope, categories, specs)
        SyncJob.objects.filter(pk=job.pk).update(forecast=forecast)
        forecasts.warn_if_short(job.pk, forecast)


def require_depth(job: SyncJob, plan: Plan) -> None:
    """A permission that was lost must not wipe out what products have from it.

    Raises:
        FatalSourceError: the plan has no details, nobody chose that, and the catalogue has SKUs of this source.
    """
    if plan.shallow and catalog.has_skus(job.source.name):
        raise FatalSourceError(
            "The app may not ask for details any more, and products would lose their SKUs and descriptions.",
            code="details_lost",
            suggestion="Apply for the detail API again, or set details to never to go on with what the listing tells.",
        )


def _alive(items: Iterable[T], pulse: Heartbeat) -> Iterator[T]:
    for item in items:
        pulse()
        yield item


def scope_of(job: SyncJob) -> Scope:
    """What the source is asked for; reads the watermark, and nothing else of a job that need not be stored."""
    return Scope(
        type="full" if job.type == SyncJob.Type.FULL else "incremental",
        category_id=job.category_id,
        offer_ids=tuple(job.sku_list),
        since=_since(job) if job.type == SyncJob.Type.INCREMENTAL else None,
        batch_size=job.batch_size,
    )


def _sized(scope: Scope, connector: Connector) -> Scope:
    """Where nobody chose a size, batches are as large as the connector likes them best."""
    is_chosen = scope.batch_size != settings.SYNC_BATCH_SIZE_DEFAULT
    return scope if is_chosen else msgspec.structs.replace(scope, batch_size=connector.batch_size)


def _window(job: SyncJob, claim: Claim) -> Scope:
    """What changed between two moments; for the connector that is never a full walk, it proves nothing."""
    since, until = (datetime.fromisoformat(claim.params[name]) for name in ("since", "until"))
    return Scope(
        type="incremental",
        category_id=job.category_id,
        offer_ids=tuple(job.sku_list),
        since=since,
        until=until,
        batch_size=job.batch_size,
    )


def _since(job: SyncJob) -> datetime | None:
    """The committed watermark less the overlap: what changed while the last walk ran is read again."""
    watermark = Watermark.objects.filter(source=job.source.name, scope=job.scope).first()
    return watermark.value - timedelta(seconds=settings.SYNC_OVERLAP_SECONDS) if watermark else None


def _categories(job: SyncJob, connector: Connector, pulse: Heartbeat) -> list[CategoryRecord]:
    """The source's tree. Products name their category, so a tree we may not read costs only its upper levels."""
    try:
        return list(_alive(connector.categories(), pulse))
    except FatalSourceError as error:
        if error.code not in NOT_GRANTED:
            raise
        context = {"code": error.code, "suggestion": error.suggestion}
        announce.log(job.pk, "category tree not granted, going on without it", level="warning", context=context)
        return []


def wants_categories(job: SyncJob) -> bool:
    """Whether the category tree is read first."""
    return job.type == SyncJob.Type.FULL and not job.sku_list


def _write(
    job: SyncJob, claim: Claim, plan: Plan, scope: Scope, categories: list[CategoryRecord], specs: list[BatchSpec]
) -> None:
    if categories and not job.dry_run:
        catalog.apply_categories(categories)
    _insert_batches(job, specs)
    walk_memory.begin(job.pk)
    if delisting.may_delist(job, plan):
        SyncBatch.objects.create(job=job, number=len(specs) + 1, stage=SyncBatch.Stage.DELIST)
    SyncJob.objects.filter(pk=job.pk).update(
        total=plan.total,
        provable=plan.provable,
        doubts=[msgspec.to_builtins(doubt) for doubt in plan.doubts],
        since=scope.since,
        # Only a walk that reaches up to now may say that everything before is committed.
        watermark=None if job.sku_list or scope.until else plan.watermark,
        heartbeat_at=timezone.now(),
    )
    planned = Counters(calls=plan.calls())
    batches.count(job.pk, planned)
    batches.mark_done(claim, planned)
    announce.log(job.pk, "walk planned", context={"batches": len(specs), "total": plan.total})
    for doubt in plan.doubts:
        announce.log(job.pk, doubt.message, level=doubt.level, context={"code": doubt.code, **doubt.details})
    announce.progress(job.pk)
    ensure_slices(job.pk)


def _insert_batches(job: SyncJob, specs: list[BatchSpec]) -> None:
    SyncBatch.objects.bulk_create(
        (
            SyncBatch(job=job, number=number, stage=SyncBatch.Stage.FETCH, params=msgspec.to_builtins(spec))
            for number, spec in enumerate(specs, start=1)
        ),
        batch_size=INSERT_CHUNK,
    )
