"""The view and its page."""

import uuid
from datetime import UTC, datetime
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from rest_framework.decorators import action
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet

from benchmarks.peers.drf.models import Product
from benchmarks.peers.drf.serializers import ListedProductSerializer, ProductSerializer


def envelope(data: Any) -> dict[str, Any]:
    """An answer in the shape of ours."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"code": 200, "message": "Success", "data": data, "timestamp": now, "request_id": uuid.uuid4().hex}


class Lenient(Paginator):  # type: ignore[type-arg]  # not generic outside of type checks
    """Pages behind the last one are empty, as the other servers have them."""

    def validate_number(self, number: float | str) -> int:
        """Any number is one."""
        return int(number)


class Pages(PageNumberPagination):
    """Pages of 20 in the shape of ours."""

    django_paginator_class = Lenient
    page_size = 20
    page_size_query_param = "page_size"

    def get_paginated_response(self, data: Any) -> Response:
        """The page."""
        page: Any = self.page
        paginator = page.paginator
        counted = {"total": paginator.count, "page": page.number, "page_size": paginator.per_page}
        pages = {"pages": paginator.num_pages, "total_exact": True, "next_cursor": None}
        return Response(envelope({"items": data, **counted, **pages}))


class ProductViewSet(ModelViewSet[Product]):
    """The products."""

    queryset = Product._default_manager.filter(deleted_at=None).select_related("category", "shop").order_by("-id")
    pagination_class = Pages

    def get_serializer_class(self) -> type[Any]:
        """With SKUs for one product only."""
        return ProductSerializer if self.action == "retrieve" else ListedProductSerializer

    def get_queryset(self) -> QuerySet[Product]:
        """The products of a category, or with a text in the title."""
        found = super().get_queryset()
        given = self.request.query_params
        if "category_id" in given:
            found = found.filter(category_id=given["category_id"])
        if "q" in given:
            found = found.filter(title__icontains=given["q"])
        return found

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One product."""
        return Response(envelope(super().retrieve(request, *args, **kwargs).data))

    @action(detail=False)
    def search(self, request: Request) -> Response:
        """The products with a text in the title."""
        return self.list(request)
