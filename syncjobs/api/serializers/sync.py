"""Bodies and parameters of the sync endpoints, and the documented form of what they answer."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from syncjobs.models import SyncJob, SyncLog
from syncjobs.services.jobs import StartSync
from system.api.pagination import PageQuery
from system.api.query import BooleanField, ListField, QuerySerializer, TimeField
from system.api.serializers import StrictSerializer
from system.models import Task

MAX_SKUS = 1000
MAX_CATEGORY_ID = 10**15
DAY = re.compile(r"(19[7-9][0-9]|20[0-9]{2})-[0-9]{2}-[0-9]{2}", re.ASCII)


class SyncConfigSerializer(StrictSerializer):
    """How hard a job works: records in a batch, batches in flight."""

    batch_size = serializers.IntegerField(min_value=1, max_value=settings.SYNC_BATCH_SIZE_MAX, default=100)
    max_workers = serializers.IntegerField(min_value=1, max_value=settings.SYNC_MAX_WORKERS_MAX, default=5)


class RunSerializer(StrictSerializer):
    """What every job is told: whose products, which of them, and how hard to work."""

    source = serializers.CharField(  # type: ignore[assignment] # shadows an attribute that request bodies never use
        max_length=50, required=False, allow_null=True, help_text=_("Name; else the default")
    )
    sku_list = serializers.ListField(
        child=serializers.CharField(max_length=500),
        required=False,
        allow_null=True,
        # An empty list is a selection that came to nothing, never a wish for everything.
        min_length=1,
        max_length=MAX_SKUS,
        help_text=_("Offer ids, 1688-<id> or offer links"),
    )
    config = SyncConfigSerializer(required=False)
    priority = serializers.ChoiceField(choices=Task.Queue.choices, default=Task.Queue.DEFAULT)


class StartSyncSerializer(RunSerializer):
    """Body of `POST sync/start` (seed 000: type, category_id, sku_list, config)."""

    type = serializers.ChoiceField(choices=SyncJob.Type.choices)
    category_id = serializers.IntegerField(
        min_value=1, max_value=MAX_CATEGORY_ID, required=False, allow_null=True, help_text=_("With all below it")
    )
    dry_run = serializers.BooleanField(
        default=False, help_text=_("Go the whole way, but leave the catalogue as it is and keep only the counters")
    )


def start_request(body: dict[str, Any], username: str) -> StartSync:
    """The service's request for a validated body."""
    return StartSync(
        type=body["type"],
        source=body.get("source"),
        category_id=body.get("category_id"),
        sku_list=tuple(body.get("sku_list") or ()),
        priority=body["priority"],
        dry_run=body["dry_run"],
        trigger=SyncJob.Trigger.API,
        requested_by=username,
        **body.get("config", {}),
    )


class DayField(serializers.DateField):
    """A day as YYYY-MM-DD and in no other of the forms ISO 8601 knows, between 1970 and 2099."""

    default_error_messages = {"invalid": _("Must be a day as YYYY-MM-DD, from 1970 to 2099.")}

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str) or not DAY.fullmatch(value):
            self.fail("invalid")
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail("invalid")


class SyncTaskSerializer(StrictSerializer):
    """Body of `POST tasks/sync` (seed 003): products that changed from the first day to the last, both included."""

    sync_type = serializers.ChoiceField(choices=SyncJob.Type.choices)
    start_date = DayField(help_text=_("The first day, in China"))
    end_date = DayField(help_text=_("The last day, in China"))
    batch_size = serializers.IntegerField(min_value=1, max_value=settings.SYNC_BATCH_SIZE_MAX, default=100)
    priority = serializers.ChoiceField(choices=Task.Queue.choices, default=Task.Queue.DEFAULT)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The days must be in order.

        Raises:
            serializers.ValidationError: they are not.
        """
        if attrs["start_date"] > attrs["end_date"]:
            raise serializers.ValidationError({"end_date": [_("Must not be before start_date.")]})
        return attrs


def sync_task_request(body: dict[str, Any], username: str) -> StartSync:
    """The service's request for a validated body; a day begins when it does in China."""
    zone = ZoneInfo(settings.API_INPUT_TIME_ZONE)
    since, until = (
        datetime.combine(day, time(), zone).astimezone(UTC)
        for day in (body["start_date"], body["end_date"] + timedelta(days=1))
    )
    return StartSync(
        type=body["sync_type"],
        batch_size=body["batch_size"],
        priority=body["priority"],
        trigger=SyncJob.Trigger.API,
        requested_by=username,
        window=(since, until),
    )


class StopSyncSerializer(StrictSerializer):
    """Body of `POST sync/stop`; without an id the only active job is meant."""

    task_id = serializers.CharField(max_length=30, required=False)


class ResumeSyncSerializer(StrictSerializer):
    """Body of `POST sync/resume`."""

    task_id = serializers.CharField(max_length=30)


class StatusQuery(QuerySerializer):
    """Parameters of `GET sync/status`."""

    task_id = serializers.CharField(max_length=30, required=False, help_text=_("Only this job"))


class JobsQuery(PageQuery):
    """Parameters of `GET sync/jobs`."""

    status = ListField(child=serializers.ChoiceField(choices=SyncJob.State.choices))
    type = serializers.ChoiceField(choices=SyncJob.Type.choices, required=False)
    source = serializers.CharField(max_length=50, required=False)  # type: ignore[assignment] # as above
    trigger = ListField(child=serializers.ChoiceField(choices=SyncJob.Trigger.choices))
    dry_run = BooleanField(required=False)
    start_time = TimeField(required=False, help_text=_("Created at or after"))
    end_time = TimeField(required=False, help_text=_("Created before"))


class LogsQuery(PageQuery):
    """Parameters of `GET sync/logs`."""

    task_id = serializers.CharField(max_length=30, required=False)
    level = ListField(child=serializers.ChoiceField(choices=SyncLog.Level.choices))
    start_time = TimeField(required=False, help_text=_("Written at or after"))
    end_time = TimeField(required=False, help_text=_("Written before"))


class ProgressSerializer(serializers.Serializer[Any]):
    """Products unless said otherwise; null while unknown."""

    percent = serializers.FloatField(allow_null=True)
    processed = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True)
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    rejected = serializers.IntegerField()
    held = serializers.IntegerField()
    delisted = serializers.IntegerField()
    missing = serializers.IntegerField(help_text=_("Not seen by this complete walk, and not delisted yet"))
    hidden = serializers.IntegerField(help_text=_("Kept up to date, but deleted here: nobody is shown them"))
    rate_per_second = serializers.FloatField()
    eta_seconds = serializers.IntegerField(allow_null=True)


class ForecastSerializer(serializers.Serializer[Any]):
    """Whether the day's calls are enough; null what nobody knows, or where nothing is limited."""

    calls = serializers.IntegerField(allow_null=True, help_text=_("What the whole sync needs"))
    basis = serializers.ChoiceField(choices=["last_run", "plan"])
    left = serializers.IntegerField(allow_null=True, help_text=_("What it could still call that day when it was told"))
    limit = serializers.IntegerField(allow_null=True, help_text=_("Without the reserve, unless it is critical"))
    resets_at = serializers.DateTimeField()
    fits = serializers.BooleanField(allow_null=True)


class JobSerializer(serializers.Serializer[Any]):
    """A sync job, alike in REST, WebSocket and commands."""

    task_id = serializers.CharField()
    type = serializers.ChoiceField(choices=SyncJob.Type.choices)
    status = serializers.ChoiceField(choices=SyncJob.State.choices)
    source = serializers.CharField()  # type: ignore[assignment] # the framework's own attribute of this name is unused here
    category_id = serializers.IntegerField(allow_null=True)
    sku_list = serializers.ListField(child=serializers.CharField())
    config = SyncConfigSerializer()
    priority = serializers.ChoiceField(choices=Task.Queue.choices)
    dry_run = serializers.BooleanField()
    trigger = serializers.ChoiceField(choices=SyncJob.Trigger.choices)
    requested_by = serializers.CharField(allow_blank=True)
    progress = ProgressSerializer()
    calls = serializers.IntegerField()
    forecast = ForecastSerializer(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    error = serializers.DictField(allow_null=True)


class LogSerializer(serializers.Serializer[Any]):
    """A line of a job's log."""

    id = serializers.IntegerField()
    task_id = serializers.CharField()
    level = serializers.ChoiceField(choices=SyncLog.Level.choices)
    message = serializers.CharField()
    context = serializers.DictField()  # type: ignore[assignment] # the framework's own attribute of this name is unused here
    created_at = serializers.DateTimeField()


class WorkersSerializer(serializers.Serializer[Any]):
    """Workers that consumed something lately."""

    online = serializers.IntegerField()
    last_seen = serializers.DateTimeField(allow_null=True)


class QueueSerializer(serializers.Serializer[Any]):
    """Tasks of one queue."""

    pending = serializers.IntegerField()
    running = serializers.IntegerField()


class MessageChannelSerializer(serializers.Serializer[Any]):
    """How the change messages of a source come in."""

    source = serializers.CharField()  # type: ignore[assignment]
    listening = serializers.BooleanField(help_text=_("Whether `manage.py listen` is connected now"))
    seen_at = serializers.DateTimeField(allow_null=True, help_text=_("When a listener last showed itself"))
    connected_at = serializers.DateTimeField(allow_null=True)
    caught_up_until = serializers.DateTimeField(
        allow_null=True, help_text=_("Missed messages have been asked for up to then")
    )
    error = serializers.CharField(allow_blank=True, help_text=_("What keeps it from listening or catching up"))
    last_message_at = serializers.DateTimeField(allow_null=True, help_text=_("By whichever channel"))
    waiting = serializers.IntegerField(help_text=_("Messages whose products are not fetched yet, up to 10,000"))


class AlertSerializer(serializers.Serializer[Any]):
    """What somebody should look at, in the caller's language."""

    code = serializers.CharField()
    level = serializers.ChoiceField(choices=["error", "warning"])
    message = serializers.CharField()
    next_step = serializers.CharField()
    context = serializers.DictField()  # type: ignore[assignment] # the framework's own attribute of this name is unused here


class StatusSerializer(serializers.Serializer[Any]):
    """What is going on."""

    active = JobSerializer(many=True)
    last = JobSerializer(allow_null=True)
    workers = WorkersSerializer()
    queues = serializers.DictField(child=QueueSerializer())
    messages = MessageChannelSerializer(many=True)
    alerts = AlertSerializer(many=True)
