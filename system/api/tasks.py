"""Work that is submitted to the queue by itself (seed 003): e-mail. What the other floors offer stands with them."""

import re
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from system import mail
from system.api.permissions import IsAdmin
from system.api.serializers import StrictSerializer
from system.api.views import ApiViewSet
from system.models import Task
from system.queue_stats import estimated_time

MOST_COPIES = 50
LONGEST_BODY = 100_000
# A line break in a header would begin another header.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

EMAIL_EXAMPLE = OpenApiExample(
    "A letter",
    value={
        "to": "user@example.com",
        "subject": "Welcome to our service",
        "body": "Thank you for signing up!",
        "cc": ["manager@example.com"],
        "priority": "default",
    },
    request_only=True,
)
SUBMITTED_EXAMPLE = OpenApiExample(
    "Submitted",
    value={
        "task_id": "550e8400-e29b-41d4-a716-446655440000",
        "queue": "default",
        "estimated_time": "within 5 minutes",
    },
    response_only=True,
)


class SubmittedSerializer(serializers.Serializer[Any]):
    """Where a submitted task waits. `estimated_time` comes from what waits before it and how long such tasks took."""

    task_id = serializers.UUIDField()
    queue = serializers.ChoiceField(choices=Task.Queue.choices)
    estimated_time = serializers.CharField()


def _one_line(text: str) -> None:
    if CONTROL.search(text):
        raise serializers.ValidationError(_("Line breaks and control characters are not allowed."))


class EmailTaskSerializer(StrictSerializer):
    """Body of `POST tasks/email`."""

    to = serializers.EmailField(max_length=254, trim_whitespace=False)
    subject = serializers.CharField(max_length=200, trim_whitespace=False, validators=[_one_line])
    body = serializers.CharField(max_length=LONGEST_BODY, trim_whitespace=False)
    cc = serializers.ListField(
        child=serializers.EmailField(max_length=254, trim_whitespace=False), required=False, max_length=MOST_COPIES
    )
    priority = serializers.ChoiceField(choices=Task.Queue.choices, default=Task.Queue.DEFAULT)


class TaskSubmissionViewSet(ApiViewSet):
    """Submits work to the queue; `queue/tasks/{task_id}` shows what becomes of it."""

    permission_classes = [IsAdmin]
    settled_actions = frozenset({"email"})

    @extend_schema(
        request=EmailTaskSerializer,
        responses={202: SubmittedSerializer},
        examples=[EMAIL_EXAMPLE, SUBMITTED_EXAMPLE],
        tags=["tasks"],
    )
    def email(self, request: Request) -> Response:
        """Send an e-mail through the mail server, with up to five attempts. Without a mail server: 503."""
        task = mail.submit_email(**EmailTaskSerializer.parse(request))
        return self.accept(submitted(task, estimated_time(task.kind, task.queue)), message=_("Task submitted"))


def submitted(task: Task, estimate: str) -> dict[str, str]:
    """What a submission answers."""
    return {"task_id": str(task.pk), "queue": task.queue, "estimated_time": estimate}
