"""What the page of one job shows beside its columns: progress, batches, last log lines, the error and its remedy."""

from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from syncjobs import selectors
from syncjobs.models import SyncBatch, SyncJob
from syncjobs.selectors.receipts import receipt_parts
from system.backoffice.html import Tone, json_block

SHOWN_LOG_LINES = 30
STATE_TONES: dict[str, Tone] = {
    SyncJob.State.PENDING: "neutral",
    SyncJob.State.RUNNING: "info",
    SyncJob.State.STOPPING: "warning",
    SyncJob.State.STOPPED: "warning",
    SyncJob.State.HELD: "warning",
    SyncJob.State.SUCCEEDED: "success",
    SyncJob.State.PARTIAL: "warning",
    SyncJob.State.FAILED: "danger",
}
COUNTERS: dict[str, Promise] = {
    "processed": _("processed"),
    "created": _("created"),
    "updated": _("updated"),
    "unchanged": _("unchanged"),
    "rejected": _("rejected"),
    "held": _("held"),
    "delisted": _("delisted"),
    "missing": _("missing"),
    "hidden": _("hidden"),
}
# What an operator does about the ends that the engine itself decides; a source's own errors bring their suggestion.
REMEDIES: dict[str, Promise] = {
    "delist_limit": _(
        "More products are missing from the source than may be delisted at once. Look at the source;"
        " raise its limit if they are really gone, then resume."
    ),
    "short_listing": _(
        "The source claims to hold far fewer products than at its last complete walk. Look at the source; approve what"
        " is shown if they are really gone, or resume once it is whole."
    ),
    "empty_listing": _("The source answered with an empty list although products are known. Check it, then resume."),
    "reject_limit": _(
        "Most records cannot be used: the source speaks differently than before, or the mapping is wrong. Look at the"
        " rejected records; resume to go on to the end anyway."
    ),
    "quota_exhausted": _("The day's calls are used up. Resume when the quota renews, or raise the source's limit."),
    "batches_set_aside": _("Some batches failed again and again. Read the log; the next sync reads them anew."),
    "incomplete_walk": _("The source showed fewer products than it claims to hold. The next sync reads them anew."),
}


def job_page(job: SyncJob) -> dict[str, Any]:
    """Values for the templates; the job's source must be joined."""
    view = selectors.job_view(job)
    progress: dict[str, Any] = {**view["progress"]}
    return {
        "row": job,
        "view": view,
        "tone": STATE_TONES[job.state],
        "progress": progress,
        "counters": [{"name": name, "label": label, "value": progress[name]} for name, label in COUNTERS.items()],
        "receipt": receipt_parts(job),
        "duration": duration_text(job),
        "is_open": job.state in SyncJob.OPEN_STATES,
        "states": dict(SyncJob.State.choices),
        "tones": STATE_TONES,
        "batches": _batches(job),
        "logs": [selectors.log_view(line) for line in selectors.logs(job.task_id)[:SHOWN_LOG_LINES]],
        "error": _error(job),
        "links": {
            "rejects": _list_of("rejectedrecord", job),
            "logs": _list_of("synclog", job),
            "batches": _list_of("syncbatch", job),
        },
    }


def _list_of(model: str, job: SyncJob) -> str:
    return reverse(f"admin:syncjobs_{model}_changelist", query={"job": job.task_id})


def _batches(job: SyncJob) -> list[dict[str, Any]]:
    """Batches by state, in the order of their lives."""
    counted = dict(
        SyncBatch.objects.filter(job_id=job.pk).order_by().values_list("state").annotate(n=Count("id")),
    )
    return [{"label": label, "count": counted.get(state, 0)} for state, label in SyncBatch.State.choices]


def _error(job: SyncJob) -> dict[str, Any] | None:
    """The error with its remedy, and everything else it carries as JSON."""
    if not isinstance(job.error, dict):
        return None
    known = {"code", "message", "suggestion"}
    rest = {name: value for name, value in job.error.items() if name not in known and value is not None}
    code = str(job.error.get("code", ""))
    return {
        "code": code,
        "message": job.error.get("message", ""),
        "remedy": job.error.get("suggestion") or REMEDIES.get(code, ""),
        "rest": json_block(rest) if rest else "",
    }


def duration_text(job: SyncJob) -> str:
    """How long the job has run, h:mm:ss; "" before it started."""
    if job.started_at is None:
        return ""
    end = job.finished_at or job.heartbeat_at or job.started_at
    seconds = max(0, int((end - job.started_at).total_seconds()))
    return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
