"""Parameters, bodies and documented answers about what sources answered before."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from syncjobs.api.serializers.runs import MAX_ID
from syncjobs.api.serializers.sync import RunSerializer
from syncjobs.services.replays import StartReplay, span_of
from system.api.pagination import PageQuery
from system.api.query import TimeField


@extend_schema_field(OpenApiTypes.STR)
class SinceField(TimeField):
    """A time, or how long ago as a number of hours, days or weeks: 12h, 7d, 2w."""

    default_error_messages = {"invalid": _("Must be a time (ISO 8601), or how long ago: 12h, 7d, 2w.")}

    def to_internal_value(self, data: Any) -> datetime:
        """The moment that is meant."""
        if not isinstance(data, str):
            self.fail("invalid")
        span = span_of(data)
        return timezone.now() - span if span else super().to_internal_value(data)


class ReplaySerializer(RunSerializer):
    """Body of `POST sync/replay`."""

    since = SinceField(
        required=False,
        allow_null=True,
        help_text=_("Only products the source showed since then: a time, or 12h, 7d, 2w; left out: all that is kept"),
    )
    dry_run = serializers.BooleanField(default=False, help_text=_("Only count what would change"))


def replay_request(body: dict[str, Any], username: str) -> StartReplay:
    """The service's request for a validated body."""
    return StartReplay(
        source=body.get("source"),
        since=body.get("since"),
        sku_list=tuple(body.get("sku_list") or ()),
        priority=body["priority"],
        dry_run=body["dry_run"],
        requested_by=username,
        **body.get("config", {}),
    )


class RawQuery(PageQuery):
    """Parameters of `GET sync/answers`."""

    product_id = serializers.IntegerField(min_value=1, max_value=MAX_ID, required=False)
    source = serializers.CharField(max_length=50, required=False)  # type: ignore[assignment] # names a parameter
    source_id = serializers.CharField(
        max_length=100, required=False, help_text=_("Id at the source; of the default source unless one is named")
    )


class RawAnswerSerializer(serializers.Serializer[Any]):
    """A kept answer; `task_id` is the job that heard it first."""

    id = serializers.IntegerField()
    source = serializers.CharField()  # type: ignore[assignment] # documents a key of this name
    source_id = serializers.CharField()
    digest = serializers.CharField(help_text=_("Equal for equal answers"))
    payload_bytes = serializers.IntegerField()
    task_id = serializers.CharField(allow_null=True)
    first_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField(help_text=_("Up to a day late while the answer stays the same"))
    applied_at = serializers.DateTimeField(allow_null=True, help_text=_("When a replay last used it"))


class RawAnswerDetailSerializer(RawAnswerSerializer):
    """The same with what the source sent: JSON, or text where it is none or is shown in part only."""

    payload = serializers.JSONField(allow_null=True)
    payload_truncated = serializers.BooleanField()
