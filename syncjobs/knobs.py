"""What an administrator may change about syncs while the system runs."""

from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from system import runtime
from system.runtime import Definition, Fact

GROUP = _("Synchronization")
MOST_WARNINGS = 10


def register() -> None:
    """Put the settings and facts of syncs onto the lists."""
    runtime.register(
        _number(
            "sync.batch_size_default",
            settings.SYNC_BATCH_SIZE_DEFAULT,
            _("Records a batch when a start names no number"),
            least=1,
            most=settings.SYNC_BATCH_SIZE_MAX,
        ),
        _number(
            "sync.max_workers_default",
            settings.SYNC_MAX_WORKERS_DEFAULT,
            _("Batches in flight when a start names no number"),
            least=1,
            most=settings.SYNC_MAX_WORKERS_MAX,
        ),
        _number(
            "sync.delist_limit_percent",
            settings.SYNC_DELIST_LIMIT_PERCENT,
            _("Largest share of its products a run of a new source may delist, in percent"),
        ),
        _number(
            "sync.reject_limit_percent",
            settings.SYNC_REJECT_LIMIT_PERCENT,
            _("A sync that rejects a larger share of its records waits for a decision, in percent"),
            least=1,
        ),
        *_raw_layer(),
    )
    runtime.register(_warn_days())
    runtime.register_fact(
        Fact("sync.batch_size_max", _("Most records a batch"), settings.SYNC_BATCH_SIZE_MAX),
        Fact("sync.max_workers_max", _("Most batches in flight of one job"), settings.SYNC_MAX_WORKERS_MAX),
        Fact("sync.lease_seconds", _("How long a silent worker keeps a batch"), settings.SYNC_LEASE_SECONDS),
    )


def _raw_layer() -> tuple[Definition, ...]:
    return (
        _number(
            "sync.raw_days",
            settings.SYNC_RAW_DAYS,
            _("How many days a source's answers are kept for a replay; 0 keeps none"),
            most=3650,
        ),
        _number(
            "sync.raw_versions",
            settings.SYNC_RAW_VERSIONS,
            _("How many different answers are kept of a product"),
            least=1,
        ),
    )


def _warn_days() -> Definition:
    return Definition(
        key="sync.authorization_warn_days",
        kind="string",
        default=settings.SYNC_AUTHORIZATION_WARN_DAYS,
        group=GROUP,
        description=_("So many days before a source's authorisation ends somebody is told, separated by commas"),
        check=_days_problem,
    )


def authorization_warn_days() -> list[int]:
    """The days before the end, the last warning first."""
    text: str = runtime.changed("sync.authorization_warn_days", settings.SYNC_AUTHORIZATION_WARN_DAYS)
    return sorted({int(day) for day in text.split(",")})


def _days_problem(text: str) -> Any:
    days = text.replace(" ", "").split(",")
    good = len(days) <= MOST_WARNINGS and all(day.isascii() and day.isdigit() and 1 <= int(day) <= 365 for day in days)
    return None if good else _("Must be up to ten numbers of days from 1 to 365, such as 30,14,7,1.")


def _number(key: str, default: int, description: Promise, *, least: int = 0, most: int = 100) -> Definition:
    return Definition(
        key=key, kind="integer", default=default, group=GROUP, description=description, minimum=least, maximum=most
    )
