"""Bodies, parameters and documented answers of the schedule endpoints."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from syncjobs.api.serializers.sources import MomentField
from syncjobs.api.serializers.sync import MAX_CATEGORY_ID, SyncConfigSerializer
from syncjobs.models import ScheduledRun, SyncJob
from syncjobs.services.schedules import DEFAULT_ZONE, ScheduledSync
from syncjobs.services.slots import parse_cron, zone_named
from system.api.pagination import PageQuery
from system.api.query import BooleanField
from system.api.serializers import StrictSerializer
from system.models import Task

SHORTEST_INTERVAL, LONGEST_INTERVAL = 60, 366 * 86_400
OVERLAP, MISSED = ("skip", "queue"), ("catch_up", "skip")
SYNC_FIELDS = frozenset(ScheduledSync.__struct_fields__)


class ScheduleSerializer(StrictSerializer):
    """Body of `POST`, `PUT` and `PATCH sync/schedules`: what to sync, and either `cron` or `every_seconds`."""

    name = serializers.CharField(max_length=200)
    source = serializers.CharField(  # type: ignore[assignment] # shadows an attribute that request bodies never use
        max_length=50, allow_null=True, default=None, help_text=_("Name; null takes the default source of the moment")
    )
    type = serializers.ChoiceField(choices=SyncJob.Type.choices, default=SyncJob.Type.INCREMENTAL)
    category_id = serializers.IntegerField(min_value=1, max_value=MAX_CATEGORY_ID, allow_null=True, default=None)
    config = SyncConfigSerializer(default=dict)
    priority = serializers.ChoiceField(choices=Task.Queue.choices, default=Task.Queue.DEFAULT)
    overlap = serializers.ChoiceField(
        choices=OVERLAP,
        default="skip",
        help_text=_("When a job of the same scope still runs: skip the slot, or queue it"),
    )
    missed = serializers.ChoiceField(
        choices=MISSED,
        default="catch_up",
        help_text=_("When nothing ran at the time: catch up the last slot, or skip it"),
    )
    cron = serializers.CharField(
        max_length=200, allow_null=True, default=None, help_text=_("minute hour day month weekday; both days must fit")
    )
    every_seconds = serializers.IntegerField(
        min_value=SHORTEST_INTERVAL,
        max_value=LONGEST_INTERVAL,
        allow_null=True,
        default=None,
        help_text=_("Runs at multiples of it since 1970"),
    )
    timezone = serializers.CharField(max_length=64, default=DEFAULT_ZONE, help_text=_("Zone in which `cron` is read"))
    start_time = MomentField(allow_null=True, default=None, help_text=_("Not before; must lie ahead"))
    is_enabled = serializers.BooleanField(default=True)

    def validate_cron(self, value: str | None) -> str | None:
        """One cron line that fits some day."""
        return _checked(value, parse_cron)

    def validate_timezone(self, value: str) -> str | None:
        """A zone of the IANA database."""
        return _checked(value, zone_named)


def _checked(value: str | None, check: Any) -> str | None:
    if value is None:
        return None
    try:
        check(value)
    except ValueError as error:
        raise serializers.ValidationError(str(error)) from error
    return value


def schedule_changes(body: dict[str, Any]) -> dict[str, Any]:
    """A validated body as fields of a `Schedule`; those of what to sync stand under `sync`."""
    changes = {name: value for name, value in body.items() if name not in SYNC_FIELDS}
    sync = {name: value for name, value in body.items() if name in SYNC_FIELDS}
    return changes | ({"sync": sync} if sync else {})


class SchedulesQuery(PageQuery):
    """Parameters of `GET sync/schedules`."""

    is_enabled = BooleanField(required=False)


class ScheduledRunSerializer(serializers.Serializer[Any]):
    """What became of a slot; `code` and `reason` say why nothing was started."""

    slot = serializers.DateTimeField()
    status = serializers.ChoiceField(choices=ScheduledRun.State.choices)
    task_id = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)


class ScheduleViewSerializer(serializers.Serializer[Any]):
    """A schedule."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    source = serializers.CharField(allow_null=True)  # type: ignore[assignment] # as above
    type = serializers.ChoiceField(choices=SyncJob.Type.choices)
    category_id = serializers.IntegerField(allow_null=True)
    config = SyncConfigSerializer()
    priority = serializers.ChoiceField(choices=Task.Queue.choices)
    overlap = serializers.ChoiceField(choices=OVERLAP)
    missed = serializers.ChoiceField(choices=MISSED)
    cron = serializers.CharField(allow_null=True)
    every_seconds = serializers.IntegerField(allow_null=True)
    timezone = serializers.CharField()
    start_time = serializers.DateTimeField(allow_null=True)
    is_enabled = serializers.BooleanField()
    next_run_at = serializers.DateTimeField(allow_null=True)
    next_runs = serializers.ListField(child=serializers.DateTimeField())
    last_run_at = serializers.DateTimeField(allow_null=True)
    last_run = ScheduledRunSerializer(allow_null=True)
