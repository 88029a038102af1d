"""Parameters and documented answers of what is asked before a sync, and of syncs in numbers."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from products.models import Product
from system.api.query import Query, QuerySerializer, TimeField

USUAL_DAYS, MOST_DAYS = 30, 366


class ProblemSerializer(serializers.Serializer[Any]):
    """What speaks against a sync, or should be known before."""

    code = serializers.CharField(help_text=_("Of this API, or of a record that would be rejected"))
    message = serializers.CharField()
    suggestion = serializers.CharField(allow_blank=True)
    details = serializers.DictField(allow_null=True)


class ReachedSerializer(serializers.Serializer[Any]):
    """The source as it answered; null where nobody asked it."""

    name = serializers.CharField()
    reachable = serializers.BooleanField(allow_null=True)
    latency_ms = serializers.FloatField(allow_null=True)


class PermissionSerializer(serializers.Serializer[Any]):
    """Whether the source lets us call one API, or take one step."""

    api = serializers.CharField()
    allowed = serializers.BooleanField()
    error = ProblemSerializer(allow_null=True)


class QuotaSerializer(serializers.Serializer[Any]):
    """Today's calls; days are China's."""

    limit = serializers.IntegerField(allow_null=True)
    used_today = serializers.IntegerField()
    share_percent = serializers.FloatField(allow_null=True)


class EstimateSerializer(serializers.Serializer[Any]):
    """What the sync will take."""

    records = serializers.IntegerField(allow_null=True)
    calls = serializers.IntegerField()
    seconds = serializers.IntegerField()
    quota = QuotaSerializer()


class SampleTierSerializer(serializers.Serializer[Any]):
    """A price from a quantity on."""

    start_quantity = serializers.IntegerField()
    price = serializers.FloatField()


class SampleSkuSerializer(serializers.Serializer[Any]):
    """A variant of a sample."""

    source_sku_id = serializers.CharField(allow_blank=True)
    spec_id = serializers.CharField(allow_blank=True)
    code = serializers.CharField(allow_blank=True)
    spec = serializers.DictField()
    price = serializers.FloatField(allow_null=True)
    stock = serializers.IntegerField()
    image = serializers.CharField(allow_blank=True)


class SampleProductSerializer(serializers.Serializer[Any]):
    """A record as the product it would become."""

    sku = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment] # documents a key of this name
    source_id = serializers.CharField()
    title = serializers.CharField()
    category_id = serializers.IntegerField(allow_null=True)
    category = serializers.CharField(allow_null=True)
    shop = serializers.CharField(allow_null=True)
    price = serializers.FloatField(allow_null=True)
    price_min = serializers.FloatField(allow_null=True)
    price_max = serializers.FloatField(allow_null=True)
    currency = serializers.CharField()
    price_tiers = SampleTierSerializer(many=True)
    stock = serializers.IntegerField()
    min_order_quantity = serializers.IntegerField()
    unit = serializers.CharField(allow_blank=True)
    sold_count = serializers.IntegerField()
    images = serializers.ListField(child=serializers.CharField())
    attributes = serializers.DictField()
    status = serializers.ChoiceField(choices=Product.Status.choices)
    url = serializers.CharField(allow_blank=True)
    source_updated_at = serializers.DateTimeField(allow_null=True)
    skus = SampleSkuSerializer(many=True)


class SampleSerializer(serializers.Serializer[Any]):
    """A record of the first page, and what a sync would do with it."""

    effect = serializers.ChoiceField(choices=["created", "updated", "unchanged"])
    product = SampleProductSerializer()


class ValidationSerializer(serializers.Serializer[Any]):
    """Whether a start would be accepted, what speaks against it, and what it would take."""

    valid = serializers.BooleanField()
    errors = ProblemSerializer(many=True)  # type: ignore[assignment] # documents a key of this name
    warnings = ProblemSerializer(many=True)
    source = ReachedSerializer(allow_null=True)  # type: ignore[assignment] # documents a key of this name
    permissions = PermissionSerializer(many=True)
    estimate = EstimateSerializer(allow_null=True)
    sample = SampleSerializer(many=True)


class StatisticsQuery(QuerySerializer):
    """Parameters of `GET sync/statistics`."""

    start_time = TimeField(required=False, help_text=_("Jobs made at or after; 30 days back if left out"))
    end_time = TimeField(required=False, help_text=_("Jobs made before; now if left out"))
    source = serializers.CharField(max_length=50, required=False)  # type: ignore[assignment] # names a parameter
    group = serializers.ChoiceField(choices=["day", "source", "both"], default="day")

    @classmethod
    def finish(cls, query: Query) -> None:
        """Fill in the usual time and refuse a reversed or too long one."""
        super().finish(query)
        until = query.setdefault("end_time", timezone.now())
        since = query.setdefault("start_time", _days_before(until))
        if since >= until:
            raise serializers.ValidationError({"start_time": [_("Must lie before end_time.")]})
        if until - since > timedelta(days=MOST_DAYS):
            message = _("The time may be {days} days long at most.")
            raise serializers.ValidationError({"start_time": [message.format(days=MOST_DAYS)]})


def _days_before(until: datetime) -> datetime:
    """The beginning of the first of thirty days, the one of `until` included."""
    local = until.astimezone(ZoneInfo(settings.API_INPUT_TIME_ZONE))
    first = (local - timedelta(days=USUAL_DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return first.astimezone(UTC)


class NumbersSerializer(serializers.Serializer[Any]):
    """Jobs by how they ended, what they did to products, the calls and the time it took."""

    jobs = serializers.IntegerField()
    active = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    partial = serializers.IntegerField()  # type: ignore[assignment] # documents a key of this name
    failed = serializers.IntegerField()
    stopped = serializers.IntegerField()
    held = serializers.IntegerField()
    products_processed = serializers.IntegerField()
    products_created = serializers.IntegerField()
    products_updated = serializers.IntegerField()
    products_unchanged = serializers.IntegerField()
    products_rejected = serializers.IntegerField()
    products_delisted = serializers.IntegerField()
    calls = serializers.IntegerField()
    seconds = serializers.FloatField()
    rate_per_second = serializers.FloatField(help_text=_("Products, over the time the jobs took"))


class NumbersOfPlaceSerializer(NumbersSerializer):
    """The same of one day, one source, or one source on one day."""

    date = serializers.DateField(allow_null=True)
    source = serializers.CharField(allow_null=True)  # type: ignore[assignment] # documents a key of this name


class StatisticsSerializer(serializers.Serializer[Any]):
    """Syncs in numbers; days are those of Asia/Shanghai, also those without a job."""

    start_time = serializers.DateTimeField()
    end_time = serializers.DateTimeField()
    group = serializers.ChoiceField(choices=["day", "source", "both"])
    totals = NumbersSerializer()
    items = NumbersOfPlaceSerializer(many=True)
