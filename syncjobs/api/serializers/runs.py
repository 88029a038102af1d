"""Parameters, bodies and documented answers about what a run did."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from products.ingest.revert import REASONS
from products.models import ProductChange
from syncjobs.api.serializers.sync import JobSerializer
from syncjobs.models import HeldProduct, RejectedRecord, SyncJob, SyncLog
from syncjobs.services.reject_files import CONTENT_TYPES
from system.api.pagination import PageQuery
from system.api.query import BooleanField, ListField, Query, QuerySerializer
from system.api.serializers import StrictSerializer

HELD = "held"
CHANGE_KINDS = [*ProductChange.Kind.values, HELD]
# As many digits as a whole number may have in a query.
MAX_ID = 10**18 - 1
UNDO_AT_ONCE = 1000
FILTER_ITEMS = 100
FIELD_NAME = r"^[a-z_]{1,50}$"


class NoParameters(QuerySerializer):
    """Parameters of addresses that take none."""


class DoubtSerializer(serializers.Serializer[Any]):
    """Why a walk may miss something: how often it came up, and the first examples."""

    code = serializers.CharField()
    level = serializers.ChoiceField(choices=["info", "warning"])
    message = serializers.CharField()
    details = serializers.DictField()


class ReasonSerializer(serializers.Serializer[Any]):
    """Why records were rejected; `waiting` of them no retry has resolved."""

    step = serializers.CharField()
    code = serializers.CharField()
    field = serializers.CharField(allow_blank=True)
    records = serializers.IntegerField()
    waiting = serializers.IntegerField()


class ApiCallsSerializer(serializers.Serializer[Any]):
    """Calls to one API, also those of the plan and those that failed."""

    api = serializers.CharField()
    calls = serializers.IntegerField()


class JobDetailSerializer(JobSerializer):
    """A job with what it came to beyond its counters, and what its walk may miss."""

    seconds = serializers.FloatField(allow_null=True, help_text=_("Null while it runs"))
    fields_changed = serializers.DictField(child=serializers.IntegerField())
    superseded = serializers.IntegerField(
        help_text=_("Of the unchanged: a replay left them as a later sync had stored them")
    )
    rejected_by = ReasonSerializer(many=True)
    calls_by_api = ApiCallsSerializer(many=True)
    doubts = DoubtSerializer(many=True)


class ChangesQuery(PageQuery):
    """Parameters of `GET sync/jobs/{task_id}/changes`."""

    kind = ListField(
        child=serializers.ChoiceField(choices=CHANGE_KINDS),
        help_text=_("`held`, alone: the products whose delisting waits for a decision"),
    )
    field = ListField(
        child=serializers.RegexField(FIELD_NAME), help_text=_("Any of these fields was changed, such as price")
    )
    product_id = serializers.IntegerField(min_value=1, max_value=MAX_ID, required=False)

    @classmethod
    def finish(cls, query: Query) -> None:
        """Held products stand in another list than changes."""
        super().finish(query)
        kinds = query.get("kind", [])
        if HELD in kinds and len(kinds) > 1:
            raise serializers.ValidationError({"kind": [_("held cannot be asked for together with other kinds.")]})
        if HELD in kinds and query.get("field"):
            raise serializers.ValidationError({"field": [_("Products that are held have no changed fields yet.")]})


class RunChangeSerializer(serializers.Serializer[Any]):
    """What a run did to one product; of `held` ones, what it would do."""

    id = serializers.IntegerField(allow_null=True)
    kind = serializers.ChoiceField(choices=CHANGE_KINDS)
    product_id = serializers.IntegerField()
    sku = serializers.CharField(allow_null=True)
    title = serializers.CharField(allow_null=True)
    fields = serializers.DictField(  # type: ignore[assignment] # documents a key of this name
        help_text=_("By field its value before and after: [before, after]")
    )
    reason = serializers.ChoiceField(choices=ProductChange.Reason.choices, allow_blank=True)
    step = serializers.ChoiceField(
        choices=HeldProduct.Step.choices, allow_null=True, help_text=_("Of held products: where they would go")
    )
    walks = serializers.IntegerField(
        allow_null=True, help_text=_("Of held products: complete walks in a row that missed them, this one included")
    )
    at = serializers.DateTimeField(allow_null=True)


class EventsQuery(PageQuery):
    """Parameters of `GET sync/jobs/{task_id}/events`."""

    since = serializers.IntegerField(
        min_value=0, max_value=MAX_ID, required=False, help_text=_("`id` of the last event you have")
    )


class EventSerializer(serializers.Serializer[Any]):
    """One step of a run; `status` is the job's after it, null when the step did not change it."""

    id = serializers.IntegerField()
    type = serializers.ChoiceField(choices=["status", "log"])
    level = serializers.ChoiceField(choices=SyncLog.Level.choices)
    message = serializers.CharField()
    status = serializers.ChoiceField(choices=SyncJob.State.choices, allow_null=True)
    context = serializers.DictField()  # type: ignore[assignment] # documents a key of this name
    at = serializers.DateTimeField()


class RejectFilters(QuerySerializer):
    """Which rejected records of a job are meant."""

    code = ListField(child=serializers.CharField(max_length=50))
    step = ListField(child=serializers.CharField(max_length=20))
    field = ListField(child=serializers.CharField(max_length=100))
    source_id = serializers.CharField(max_length=100, required=False)
    q = serializers.CharField(max_length=100, required=False, help_text=_("Part of the reason or of the id"))
    resolved = BooleanField(required=False, help_text=_("Whether a retry has succeeded"))


class RejectsQuery(RejectFilters, PageQuery):
    """Parameters of `GET sync/jobs/{task_id}/rejects`."""


class RejectsExportQuery(RejectFilters):
    """Parameters of `GET sync/jobs/{task_id}/rejects/export`."""

    format = serializers.ChoiceField(choices=list(CONTENT_TYPES), default="ndjson")


class RetryRejectsSerializer(StrictSerializer):
    """Body of `POST sync/jobs/{task_id}/rejects/retry`: which of the records that wait; without filters all of them."""

    code = serializers.ListField(child=serializers.CharField(max_length=50), required=False, max_length=FILTER_ITEMS)
    step = serializers.ListField(child=serializers.CharField(max_length=20), required=False, max_length=FILTER_ITEMS)
    field = serializers.ListField(child=serializers.CharField(max_length=100), required=False, max_length=FILTER_ITEMS)
    source_id = serializers.CharField(max_length=100, required=False)
    q = serializers.CharField(max_length=100, required=False, help_text=_("Part of the reason or of the id"))


class RetryingSerializer(serializers.Serializer[Any]):
    """A retry that a task does; its result tells `matching`, `retried` and `outcomes`, also while it runs."""

    task = serializers.UUIDField(help_text=_("Follow it at GET queue/tasks/{id}"))
    status = serializers.ChoiceField(choices=["pending", "running"])
    matching = serializers.IntegerField(help_text=_("Records that wait and match now"))


class RejectSerializer(serializers.Serializer[Any]):
    """A record that could not be used. `payload` is JSON, or text where it is none or is shown in part only."""

    id = serializers.IntegerField()
    source = serializers.CharField()  # type: ignore[assignment] # documents a key of this name
    source_id = serializers.CharField(allow_blank=True)
    step = serializers.CharField()
    code = serializers.CharField()
    field = serializers.CharField(allow_blank=True)
    message = serializers.CharField()
    payload = serializers.JSONField(allow_null=True)
    payload_bytes = serializers.IntegerField()
    payload_truncated = serializers.BooleanField()
    retries = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=RejectedRecord.Outcome.choices, allow_null=True)
    resolved_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class RetriedSerializer(serializers.Serializer[Any]):
    """What a retry came to."""

    outcome = serializers.ChoiceField(choices=[*RejectedRecord.Outcome.values, "rejected"])
    reject = RejectSerializer()
    job = JobSerializer()


class CompareQuery(QuerySerializer):
    """Parameters of `GET sync/jobs/{task_id}/compare`: the other job as `with`, which is no name in Python."""

    def get_fields(self) -> dict[str, Any]:
        other = serializers.CharField(
            max_length=30, required=False, help_text=_("The other job; left out: the one before it of the same source")
        )
        return {**super().get_fields(), "with": other}


class ReceiptSerializer(serializers.Serializer[Any]):
    """What a run came to."""

    task_id = serializers.CharField()
    type = serializers.ChoiceField(choices=SyncJob.Type.choices)
    status = serializers.ChoiceField(choices=SyncJob.State.choices)
    source = serializers.CharField()  # type: ignore[assignment] # documents a key of this name
    dry_run = serializers.BooleanField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    seconds = serializers.FloatField(allow_null=True)
    rate_per_second = serializers.FloatField()
    counters = serializers.DictField(child=serializers.IntegerField())
    fields_changed = serializers.DictField(child=serializers.IntegerField())
    doubts = DoubtSerializer(many=True)


class ComparedFieldSerializer(serializers.Serializer[Any]):
    """How often one field changed."""

    job = serializers.IntegerField()
    other = serializers.IntegerField()


class ComparedProductsSerializer(serializers.Serializer[Any]):
    """How many products, and the first hundred."""

    count = serializers.IntegerField()
    ids = serializers.ListField(child=serializers.IntegerField())


class ComparedSerializer(serializers.Serializer[Any]):
    """Products that changed in both runs or in one."""

    both = ComparedProductsSerializer()
    only_job = ComparedProductsSerializer()
    only_other = ComparedProductsSerializer()


class ComparisonSerializer(serializers.Serializer[Any]):
    """Two runs side by side; `differences` are those of `job` less those of `other`."""

    job = ReceiptSerializer()
    other = ReceiptSerializer()
    differences = serializers.DictField(child=serializers.FloatField(allow_null=True))
    fields_changed = serializers.DictField(child=ComparedFieldSerializer())
    products = ComparedSerializer()


class UndoSerializer(StrictSerializer):
    """Body of `POST sync/jobs/{task_id}/undo`; without ids every product of the run is meant."""

    product_ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_ID),
        required=False,
        min_length=1,
        max_length=UNDO_AT_ONCE,
    )


class SkippedSerializer(serializers.Serializer[Any]):
    """A product that was left as it is, and why."""

    product_id = serializers.IntegerField()
    reason = serializers.ChoiceField(choices=list(REASONS))


class UndoneSerializer(serializers.Serializer[Any]):
    """What became of an undo. Many products are put back later, by the task that is named."""

    status = serializers.ChoiceField(choices=["done", "pending"])
    task = serializers.UUIDField(allow_null=True, help_text=_("Follow it at GET queue/tasks/{id}"))
    undone = serializers.IntegerField()
    skipped = SkippedSerializer(many=True, help_text=_("The first thousand"))
    skipped_by_reason = serializers.DictField(child=serializers.IntegerField())
