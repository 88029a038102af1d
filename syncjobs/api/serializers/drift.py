"""Parameters and documented answer of the report about how a source's answers change."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from syncjobs.api.serializers.raw import SinceField
from syncjobs.models import AnswerField
from system.api.query import ListField, QuerySerializer

CHANGES = ["new", "changed", "gone"]


class DriftQuery(QuerySerializer):
    """Parameters of `GET sync/sources/{id}/drift`."""

    change = ListField(child=serializers.ChoiceField(choices=CHANGES))
    since = SinceField(required=False, help_text=_("Only what has changed since: a time, or 12h, 7d, 2w"))
    task_id = serializers.CharField(max_length=30, required=False, help_text=_("Only what came with this job"))


class FindingSerializer(serializers.Serializer[Any]):
    """A field that is new, of another type, or gone."""

    change = serializers.ChoiceField(choices=CHANGES)
    path = serializers.CharField(help_text=_("Such as saleInfo.unit or skuInfos[].price"))
    type = serializers.ChoiceField(choices=AnswerField.Kind.values, allow_null=True, help_text=_("null when gone"))
    types_before = serializers.ListField(child=serializers.ChoiceField(choices=AnswerField.Kind.values))
    since = serializers.DateTimeField()
    task_id = serializers.CharField(allow_null=True)
    share_percent = serializers.FloatField(
        help_text=_("Share of the answers it stands in since; when gone, of those it stood in before")
    )


class DriftSerializer(serializers.Serializer[Any]):
    """How a source's answers have changed, the latest change first; the numbers are those of the last look."""

    source = serializers.CharField()  # type: ignore[assignment] # documents a key of this name
    runs = serializers.IntegerField()
    task_id = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)
    answers = serializers.IntegerField(help_text=_("New answers of that job"))
    looked_at = serializers.IntegerField(help_text=_("Of many answers only a part is looked at"))
    findings = FindingSerializer(many=True)
