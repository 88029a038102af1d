"""Bodies, parameters and documented answers of the source endpoints."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from products.ingest.ownership import POLICIES
from syncjobs.connectors.registry import CONNECTORS
from syncjobs.models import Source, SyncJob
from system.api.pagination import PageQuery
from system.api.query import BooleanField, TimeField
from system.api.serializers import StrictSerializer

MOST_CALLS_PER_SECOND = 1000
MOST_CALLS_PER_DAY = 10**9
LONGEST_SECRET = 2000
# What a line of a check can come to; the first ones are good.
CHECK_STATES = [
    "granted",
    "valid",
    "works",
    "not_granted",
    "wrong_name",
    "token_refused",
    "quota_used_up",
    "secret_wrong",
    "app_key_wrong",
    "failed",
]


class MomentField(TimeField):
    """A time in a body; query parameters are text anyway."""

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class CredentialsSerializer(StrictSerializer):
    """Secrets of a source: they go in and never come out; what is left out stays as it is."""

    app_secret = serializers.CharField(max_length=LONGEST_SECRET, required=False)
    access_token = serializers.CharField(max_length=LONGEST_SECRET, required=False)
    refresh_token = serializers.CharField(max_length=LONGEST_SECRET, required=False)
    access_expires_at = MomentField(required=False, allow_null=True)
    refresh_expires_at = MomentField(required=False, allow_null=True)


class ChangeSourceSerializer(StrictSerializer):
    """Body of `PUT` and `PATCH sync/sources/{id}`. Name and kind are for life, because products carry the name."""

    name = serializers.CharField(read_only=True)
    kind = serializers.CharField(read_only=True)
    is_default = serializers.BooleanField(
        required=False, help_text=_("true makes it the one taken when a sync names none")
    )
    is_enabled = serializers.BooleanField(default=True)
    app_key = serializers.CharField(max_length=100, allow_blank=True, default="")
    options = serializers.DictField(default=dict, help_text=_("The connector's own configuration"))
    credentials = CredentialsSerializer(required=False, write_only=True)
    calls_per_second = serializers.FloatField(min_value=0.01, max_value=MOST_CALLS_PER_SECOND, default=10.0)
    daily_call_limit = serializers.IntegerField(
        min_value=1, max_value=MOST_CALLS_PER_DAY, allow_null=True, default=None
    )
    hold_at_percent = serializers.IntegerField(
        min_value=1,
        max_value=100,
        default=100,
        help_text=_("From this share of the day's calls on only critical jobs go on; the others wait for the next day"),
    )
    delist_limit_percent = serializers.IntegerField(
        min_value=0, max_value=100, default=20, help_text=_("A run that misses a larger share is held")
    )
    delist_after_walks = serializers.IntegerField(
        min_value=1,
        max_value=10,
        default=3,
        help_text=_("So many complete walks in a row must miss a product before it is delisted"),
    )
    field_policies = serializers.DictField(
        child=serializers.ChoiceField(choices=POLICIES),
        default=dict,
        help_text=_("Who wins where an operator and the source disagree, by field; * is for all others"),
    )


class NewSourceSerializer(ChangeSourceSerializer):
    """Body of `POST sync/sources`."""

    name = serializers.RegexField(
        rf"^{Source.NAME_PATTERN.pattern}\Z", max_length=50, help_text=_("a-z, 0-9, - and _; never changes")
    )
    kind = serializers.ChoiceField(choices=list(CONNECTORS))  # type: ignore[assignment] # only here it can be chosen


class SourcesQuery(PageQuery):
    """Parameters of `GET sync/sources`."""

    kind = serializers.ChoiceField(choices=list(CONNECTORS), required=False)
    is_enabled = BooleanField(required=False)


class StoredSecretsSerializer(serializers.Serializer[Any]):
    """Which secrets are stored."""

    app_secret = serializers.BooleanField()
    access_token = serializers.BooleanField()
    refresh_token = serializers.BooleanField()


class LastJobSerializer(serializers.Serializer[Any]):
    """The latest job of a source."""

    task_id = serializers.CharField()
    type = serializers.ChoiceField(choices=SyncJob.Type.choices)
    status = serializers.ChoiceField(choices=SyncJob.State.choices)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class SourceSerializer(serializers.Serializer[Any]):
    """A source without its secrets."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.CharField()
    is_default = serializers.BooleanField()
    is_enabled = serializers.BooleanField()
    app_key = serializers.CharField(allow_blank=True)
    options = serializers.DictField()
    calls_per_second = serializers.FloatField()
    daily_call_limit = serializers.IntegerField(allow_null=True)
    hold_at_percent = serializers.IntegerField()
    delist_limit_percent = serializers.IntegerField()
    delist_after_walks = serializers.IntegerField()
    field_policies = serializers.DictField(child=serializers.ChoiceField(choices=POLICIES))
    has_secrets = StoredSecretsSerializer()
    access_expires_at = serializers.DateTimeField(allow_null=True)
    refresh_expires_at = serializers.DateTimeField(allow_null=True)
    authorization_days_left = serializers.IntegerField(
        allow_null=True, help_text=_("Whole days until the 1688 account must authorise the app again; null if unknown")
    )
    last_job = LastJobSerializer(allow_null=True)
    synced_until = serializers.DateTimeField(
        allow_null=True, help_text=_("What changed at the source before this is here; null before a first whole walk")
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ApiCheckSerializer(serializers.Serializer[Any]):
    """One line of a check; `action` says what to do next."""

    name = serializers.CharField()
    ok = serializers.BooleanField(help_text=_("Whether the sync can run as far as this line goes"))
    state = serializers.ChoiceField(choices=CHECK_STATES)
    code = serializers.CharField(allow_blank=True)
    message = serializers.CharField(allow_blank=True)
    action = serializers.CharField(allow_blank=True)


class CheckReportSerializer(serializers.Serializer[Any]):
    """Whether a source can be used."""

    ok = serializers.BooleanField()
    summary = serializers.CharField(help_text=_("What works without what is missing"))
    latency_ms = serializers.FloatField(allow_null=True)
    checks = ApiCheckSerializer(many=True)
