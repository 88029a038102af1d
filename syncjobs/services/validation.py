"""Would a sync work? The same checks, planning and mapping as a start, up to the first page; nothing is written.

Every call to the source takes its permit and counts in its ledger, as in a sync.
"""

import msgspec
from django.conf import settings
from django.utils.translation import gettext

from syncjobs.engine.contracts import ApiCheck, BatchSpec, Connector, Doubt, Plan
from syncjobs.engine.errors import FatalSourceError, QuotaExhausted, RetryableSourceError
from syncjobs.engine.normalize import Normalized, Reject
from syncjobs.models import Source, SyncJob
from syncjobs.services import estimates, planning, scopes
from syncjobs.services.check_texts import told_check
from syncjobs.services.estimates import Estimate
from syncjobs.services.jobs import StartSync, new_job
from syncjobs.services.samples import Sample, samples_of
from syncjobs.services.sources import connect
from system.crypto import CannotDecrypt
from system.errors import ApplicationError, ErrorCode

SAMPLE_RECORDS = 5
RETRY_AFTER_SECONDS = 30
# Nobody got as far as the source.
NOT_REACHED = frozenset(
    {
        "invalid_options",
        "invalid_mapping",
        "url_refused",
        "address_refused",
        "feed_missing",
        "feed_not_a_file",
        "feed_unreadable",
        "secrets_unreadable",
    }
)
# The source is there, but does not answer as it should, or not now.
FAILED = frozenset(
    {
        "connection_failed",
        "dns_failed",
        "tls_failed",
        "server_error",
        "bad_answer",
        "body_too_large",
        "page_loop",
        "page_empty",
        "source_unavailable",
    }
)
TIMED_OUT = frozenset({"timeout"})
LATER = frozenset({"rate_limited", "limiter_unavailable", "data_preparing"})


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What speaks against a sync, or should be known before. `details` name the values it is about."""

    code: str
    message: object
    suggestion: object = ""
    details: object = None


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the source lets us call one API, or take one step."""

    api: str
    allowed: bool
    error: Problem | None = None


class Validation(msgspec.Struct, kw_only=True):
    """What was found out; `reachable` is None where nobody tried."""

    source: str | None = None
    reachable: bool | None = None
    latency_ms: float | None = None
    errors: list[Problem] = msgspec.field(default_factory=list)
    warnings: list[Problem] = msgspec.field(default_factory=list)
    permissions: list[Permission] = msgspec.field(default_factory=list)
    estimate: Estimate | None = None
    sample: list[Sample] = msgspec.field(default_factory=list)

    @property
    def valid(self) -> bool:
        """Whether a start would be accepted and find its source ready."""
        return not self.errors


def validate_sync(request: StartSync) -> Validation:
    """Find out whether this start would work, and what it would take.

    Raises:
        ApplicationError: 400 as `start_sync`; the source cannot be reached (502), does not answer in time (504), or
            cannot be asked at this moment (503).
    """
    target = scopes.examine(request.source, request.category_id, request.sku_list)
    found = Validation(source=target.source.name if target.source else None)
    found.errors += [_refusal(problem) for problem in target.problems]
    if target.source is None or not target.source.is_enabled:
        return found
    job = new_job(request, target.source, target.offer_ids, target.scope)
    try:
        _ask(job, target.source, found)
    except QuotaExhausted as error:
        found.errors.append(_used_up(error.message))
    except FatalSourceError as error:
        found.errors.append(_refused(error.code, error.message, error.suggestion))
    except RetryableSourceError as error:
        raise _upstream(error.code, error.message) from error
    return found


def _ask(job: SyncJob, source: Source, found: Validation) -> None:
    connector = connect(source, patience=settings.SYNC_VALIDATE_SECONDS)
    try:
        if not _check(connector, found):
            return
        plan = _plan(job, connector, found)
        if plan is None:
            return
        planning.require_depth(job, plan)
        specs, is_whole = _counted(plan, found)
        found.warnings += [_doubted(doubt) for doubt in plan.doubts]
        if is_whole:
            found.estimate = estimates.estimate(job, plan, specs)
            _foresee(found)
        _take_sample(job, connector, specs, found)
    finally:
        connector.close()


def _check(connector: Connector, found: Validation) -> bool:
    """Ask for each permission; False when something is wrong that the planning would only meet again."""
    try:
        report = connector.check()
    except CannotDecrypt:
        suggestion = "Store the source's credentials again."
        found.errors.append(_refused("secrets_unreadable", "The stored secrets cannot be read.", suggestion))
        found.reachable = False
        return False
    found.latency_ms = None if report.latency_ms is None else round(report.latency_ms, 1)
    for check in report.checks:
        _note(check, found)
    failed = {check.code for check in report.checks if not check.ok}
    found.reachable = not failed & NOT_REACHED
    return failed <= frozenset(planning.NOT_GRANTED)


def _note(given: ApiCheck, found: Validation) -> None:
    """What one line of the source's check means for this sync.

    Raises:
        ApplicationError: the source fails at this moment.
    """
    check = told_check(given)
    if not check.ok and check.code in FAILED | TIMED_OUT | LATER:
        raise _upstream(check.code, check.message)
    told = bool(check.code or check.action)
    problem = _refused(check.code, check.message, check.action, api=check.name) if told else None
    allowed = check.ok and check.code not in planning.NOT_GRANTED
    found.permissions.append(Permission(api=check.name, allowed=allowed, error=problem))
    if check.code == QuotaExhausted.default_code:
        found.errors.append(_used_up(check.message))
    elif problem and (check.ok or check.code in planning.NOT_GRANTED):
        # Not every sync needs every API: the planning and the first page show whether this one does.
        found.warnings.append(problem)
    elif problem:
        found.errors.append(problem)


def _plan(job: SyncJob, connector: Connector, found: Validation) -> Plan | None:
    try:
        return connector.plan(planning.scope_of(job))
    except RetryableSourceError as error:
        if error.code != "uncounted":
            raise
        found.warnings.append(_refused(error.code, error.message, ""))
        return None


def _counted(plan: Plan, found: Validation) -> tuple[list[BatchSpec], bool]:
    """The batches and True, or those that could be planned while somebody waits and False."""
    specs: list[BatchSpec] = []
    try:
        for spec in plan.batches:
            specs.append(spec)  # noqa: PERF402 - what was planned before an error is kept
    except RetryableSourceError as error:
        if error.code != "uncounted":
            raise
        found.warnings.append(_refused(error.code, error.message, ""))
        return specs, False
    return specs, True


def _doubted(doubt: Doubt) -> Problem:
    return Problem(code=doubt.code, message=gettext(doubt.message), details=doubt.details or None)


def _foresee(found: Validation) -> None:
    quota = found.estimate.quota if found.estimate else None
    if found.estimate and quota and quota.limit is not None and quota.used_today + found.estimate.calls > quota.limit:
        found.warnings.append(
            Problem(
                code=ErrorCode.SYNC_QUOTA_EXHAUSTED.value,
                message=ErrorCode.SYNC_QUOTA_EXHAUSTED.message,
                suggestion=ErrorCode.SYNC_QUOTA_EXHAUSTED.suggestion,
                details={"calls": found.estimate.calls, "left": max(0, quota.limit - quota.used_today)},
            )
        )


def _take_sample(job: SyncJob, connector: Connector, specs: list[BatchSpec], found: Validation) -> None:
    """The first records of the first page, on the way they would go; those that would be rejected are warned of."""
    if not specs:
        return
    normalized = Normalized()
    for page in connector.fetch(specs[0]):
        few = msgspec.structs.replace(
            page, records=page.records[:SAMPLE_RECORDS], rejected=page.rejected[:SAMPLE_RECORDS]
        )
        normalized.add(few, connector, lambda: None)
        if normalized.products or normalized.rejects:
            break
    found.sample = samples_of(job.source.name, list(normalized.products.values())[:SAMPLE_RECORDS])
    found.warnings += [_would_be_rejected(reject) for reject in normalized.rejects[:SAMPLE_RECORDS]]


def _would_be_rejected(reject: Reject) -> Problem:
    details = {"source_id": reject.source_id, "step": reject.step, "field": reject.field}
    return Problem(code=reject.code, message=reject.message, details=details)


def _refusal(error: ApplicationError) -> Problem:
    return Problem(code=error.code.value, message=error.message, suggestion=error.suggestion, details=error.details)


def _refused(reason: str, message: str, suggestion: str, **details: str) -> Problem:
    code = ErrorCode.SYNC_SOURCE_REFUSED.value
    return Problem(code=code, message=message, suggestion=suggestion, details={"reason": reason, **details})


def _used_up(message: str) -> Problem:
    error = ErrorCode.SYNC_QUOTA_EXHAUSTED
    return Problem(code=error.value, message=message, suggestion=error.suggestion)


def _upstream(reason: str, message: str) -> ApplicationError:
    """The answer to a source that fails now; Retry-After keeps callers from hammering it."""
    code = ErrorCode.SYNC_UPSTREAM_FAILED
    if reason in TIMED_OUT:
        code = ErrorCode.SYNC_UPSTREAM_TIMED_OUT
    elif reason in LATER:
        code = ErrorCode.UNAVAILABLE
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return ApplicationError(code, details={"reason": reason, "message": message}, headers=headers)
