"""What a pushed message is answered with."""

from typing import Any

from rest_framework import serializers


class CallbackAnswerSerializer(serializers.Serializer[Any]):
    """Whether the message was seen for the first time."""

    is_new = serializers.BooleanField()
