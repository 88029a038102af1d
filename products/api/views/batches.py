"""Many writes of products in one call."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from products.api.schema import BATCH_EXAMPLES
from products.api.serializers.batches import BatchReportSerializer
from products.api.serializers.bodies import BatchBody, ProductBody
from products.services.batch import Operation, Outcome, Policy, run_batch
from system.api.permissions import IsOperator
from system.api.views import ApiViewSet
from system.errors import ApplicationError, ErrorCode


class BatchViewSet(ApiViewSet):
    """Batches of products."""

    permission_classes = [IsOperator]
    max_body_bytes = settings.API_MAX_BATCH_BODY_BYTES
    throttle_buckets: ClassVar[Mapping[str, tuple[str, ...]]] = {"batch": ("batch",)}

    @extend_schema(request=BatchBody, responses=BatchReportSerializer, examples=BATCH_EXAMPLES)
    def batch(self, request: Request) -> Response:
        """Create, update, delete, publish and disable up to 250 products in one transaction.

        `policy` says what a failure means. reject_all: nothing is done, the answer is 422 and has all results in its
        details. reject_failed: the others are done. ignore_failed: as reject_failed, and a refused field is left out
        of its operation, unless that needs it. No product may be meant twice.
        """
        body = BatchBody.parse(request)
        report = run_batch(Policy(body["policy"]), _operations(body["operations"]))
        results = [self._result(outcome) for outcome in report.outcomes]
        if not report.done:
            raise ApplicationError(ErrorCode.BATCH_REJECTED, details={"results": results})
        return self.reply({"results": results})

    def _result(self, outcome: Outcome) -> dict[str, Any]:
        return {
            "index": outcome.index,
            "op": outcome.op,
            "path": self.api.naming.outgoing(outcome.path),
            "id": outcome.id,
            "status": outcome.status,
            "error": outcome.error and _shown(outcome.error),
        }


def _operations(sent: Iterable[Mapping[str, Any]]) -> list[Operation]:
    # Making a serializer costs ten times what it costs to use it.
    whole, part = ProductBody(), ProductBody(partial=True)
    operations = []
    for one in sent:
        body = whole if one["op"] == "create" else part
        values, refused = body.sift(one["data"]) if "data" in one else ({}, {})
        operations.append(Operation(one["op"], one.get("id"), one.get("sku"), values, refused))
    return operations


def _shown(error: ApplicationError) -> dict[str, Any]:
    return {
        "code": error.code.value,
        "message": error.message,
        "details": error.details,
        "suggestion": error.suggestion,
    }
