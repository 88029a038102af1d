"""What an administrator may change about syncs while the system runs."""

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from system import runtime
from system.runtime import Definition, Fact

GROUP = _("Synchronization")


def register() -> None:
    """Put the settings and facts of syncs onto the lists."""
    runtime.register(
        Definition(
            key="sync.batch_size_default",
            kind="integer",
            default=settings.SYNC_BATCH_SIZE_DEFAULT,
            group=GROUP,
            description=_("Records a batch when a start names no number"),
            minimum=1,
            maximum=settings.SYNC_BATCH_SIZE_MAX,
        ),
        Definition(
            key="sync.max_workers_default",
            kind="integer",
            default=settings.SYNC_MAX_WORKERS_DEFAULT,
            group=GROUP,
            description=_("Batches in flight when a start names no number"),
            minimum=1,
            maximum=settings.SYNC_MAX_WORKERS_MAX,
        ),
        Definition(
            key="sync.delist_limit_percent",
            kind="integer",
            default=settings.SYNC_DELIST_LIMIT_PERCENT,
            group=GROUP,
            description=_("Largest share of its products a run of a new source may delist, in percent"),
            minimum=0,
            maximum=100,
        ),
        Definition(
            key="sync.reject_limit_percent",
            kind="integer",
            default=settings.SYNC_REJECT_LIMIT_PERCENT,
            group=GROUP,
            description=_("A sync that rejects a larger share of its records waits for a decision, in percent"),
            minimum=1,
            maximum=100,
        ),
    )
    runtime.register_fact(
        Fact("sync.batch_size_max", _("Most records a batch"), settings.SYNC_BATCH_SIZE_MAX),
        Fact("sync.max_workers_max", _("Most batches in flight of one job"), settings.SYNC_MAX_WORKERS_MAX),
        Fact("sync.lease_seconds", _("How long a silent worker keeps a batch"), settings.SYNC_LEASE_SECONDS),
    )
