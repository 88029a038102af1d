"""The shape of an export that a task writes."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from products.api.serializers.products import time_field
from products.services.export_files import FORMATS
from system.models import Task


class ExportSerializer(serializers.Serializer[Any]):
    """An export that a task writes."""

    task_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Task.State.choices)
    format = serializers.ChoiceField(choices=tuple(FORMATS))
    rows = serializers.IntegerField(allow_null=True)
    bytes = serializers.IntegerField(allow_null=True)
    error = serializers.JSONField(allow_null=True)
    created_at = time_field()
    finished_at = time_field(allow_null=True)
    expires_at = time_field(allow_null=True, help_text="Until when the file can be fetched; null while there is none")


EXPORT_EXAMPLE = OpenApiExample(
    "Export",
    value={
        "task_id": "7d9f0c1e-3f5b-4c0a-9a57-0d7a3c8e2b11",
        "status": "succeeded",
        "format": "csv",
        "rows": 250000,
        "bytes": 187000000,
        "error": None,
        "created_at": "2025-11-18T13:09:28Z",
        "finished_at": "2025-11-18T13:09:40Z",
        "expires_at": "2025-11-19T13:09:40Z",
    },
    response_only=True,
    status_codes=["200", "202"],
)
