"""Fields that belong to operators: where their sources disagree, and giving many back, for operators."""

from dataclasses import replace
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from products.api.queries import ConflictsQuery
from products.api.serializers.ownership import (
    CONFLICT_EXAMPLE,
    ConflictingProductSerializer,
    ReleaseManyBody,
    ReleaseTaskSerializer,
)
from products.selectors.ownership import conflict_views, conflicting_products
from products.services.ownership import start_release
from system.api.listing import newest_page
from system.api.permissions import IsOperator
from system.api.views import ApiViewSet


class OwnershipViewSet(ApiViewSet):
    """What operators own."""

    permission_classes = [IsOperator]

    @extend_schema(
        parameters=[ConflictsQuery], responses=ConflictingProductSerializer(many=True), examples=[CONFLICT_EXAMPLE]
    )
    def list(self, request: Request) -> Response:
        """Products of which the source says something else than an operator, newest product first."""
        query = ConflictsQuery.parse(request)
        page = newest_page(conflicting_products(query), query, scope="conflicts", show=lambda product: product)
        return self.reply(replace(page, items=conflict_views(page.items)))

    @extend_schema(request=ReleaseManyBody, responses={202: ReleaseTaskSerializer})
    def bulk_release(self, request: Request) -> Response:
        """Have a task give back fields of many products: those of a source, of some ids, or some fields of all."""
        body: dict[str, Any] = ReleaseManyBody.parse(request)
        fields = body.pop("fields", None)
        task = start_release(body | ({"field": fields} if fields else {}), fields)
        return self.accept({"task_id": str(task.pk), "status": task.state})
