"""The shape of a batch's answer."""

from typing import Any

from rest_framework import serializers

from products.api.serializers.bodies import OPERATIONS


class OperationErrorSerializer(serializers.Serializer[Any]):
    """Why an operation failed, or what was left out of it; as the error of a single call."""

    code = serializers.CharField()
    message = serializers.CharField()
    details = serializers.JSONField(allow_null=True, help_text="{path: [messages]}")
    suggestion = serializers.CharField()


class OperationResultSerializer(serializers.Serializer[Any]):
    """What became of one operation."""

    index = serializers.IntegerField(help_text="Its place among the operations, from 0")
    op = serializers.ChoiceField(choices=OPERATIONS)
    path = serializers.CharField(
        help_text="The operation or, when it failed, the value it failed at, such as operations[3].data.price"
    )
    id = serializers.IntegerField(allow_null=True, help_text="The product; null when there is none")
    status = serializers.IntegerField(
        help_text="As a single call would answer; 424 when not done because another operation failed"
    )
    error = OperationErrorSerializer(allow_null=True)


class BatchReportSerializer(serializers.Serializer[Any]):
    """One result an operation, in their order."""

    results = OperationResultSerializer(many=True)
