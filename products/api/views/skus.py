"""The SKUs of a product: read by any user, written by operators."""

from collections.abc import Mapping
from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from products.api.queries import SkuListQuery
from products.api.schema import SKU_BODY_EXAMPLE, SKU_EXAMPLE
from products.api.serializers.bodies import SkuBody
from products.api.serializers.products import SkuSerializer
from products.selectors.skus import SkuDetail, sku_detail, sku_page
from products.services import skus as services
from system.api.conditional import ConditionalViewSet, expected_versions
from system.api.pagination import encode_cursor, page_body
from system.api.paths import row_id
from system.api.permissions import IsOperator, IsUser, Permission
from system.api.query import QuerySerializer
from system.errors import ApplicationError, ErrorCode


class SkuViewSet(ConditionalViewSet):
    """The SKUs of one product. They share its version: the ETag of one is stale when the product changed."""

    permission_classes = [IsUser]
    action_permissions: ClassVar[Mapping[str, type[Permission]]] = {
        "create": IsOperator,
        "update": IsOperator,
        "partial_update": IsOperator,
        "destroy": IsOperator,
    }

    @extend_schema(parameters=[SkuListQuery], responses=SkuSerializer(many=True), examples=[SKU_EXAMPLE])
    def list(self, request: Request, pk: str) -> Response:
        """One page of the SKUs of a product, in its order."""
        product_id, query = row_id(pk), SkuListQuery.parse(request)
        window, scope = query.window, f"skus:{product_id}"
        found = sku_page(product_id, limit=window.page_size, offset=window.offset, after=window.position(scope))
        if found is None:
            raise ApplicationError(ErrorCode.NOT_FOUND)
        cursor = encode_cursor(scope, found.last) if found.last else None
        exact = found.total is not None
        page = page_body(found.items, found.total, query, total_exact=exact, next_cursor=cursor)
        return self.reply_unless_known(request, page)

    @extend_schema(responses=SkuSerializer, examples=[SKU_EXAMPLE])
    def retrieve(self, request: Request, pk: str, sku_id: str) -> Response:
        """One SKU of a product."""
        QuerySerializer.parse(request)
        found = _detail(row_id(pk), row_id(sku_id))
        return self.reply_unless_known(request, found.sku, version=found.version)

    @extend_schema(request=SkuBody, responses={201: SkuSerializer}, examples=[SKU_BODY_EXAMPLE, SKU_EXAMPLE])
    def create(self, request: Request, pk: str) -> Response:
        """A new SKU behind the others. The SKUs of a synced product belong to the operator from then on."""
        product_id = row_id(pk)
        sku_id = services.create_sku(product_id, SkuBody.parse(request), expected_versions(request))
        location = f"{request._request.path.rstrip('/')}/{sku_id}"
        return self._written(product_id, sku_id, status=201, headers={"Location": location})

    @extend_schema(request=SkuBody, responses=SkuSerializer, examples=[SKU_BODY_EXAMPLE, SKU_EXAMPLE])
    def update(self, request: Request, pk: str, sku_id: str) -> Response:
        """All fields of a SKU; one that is left out goes back to its default."""
        product_id, number, expected = row_id(pk), row_id(sku_id), expected_versions(request)
        services.replace_sku(product_id, number, SkuBody.parse(request), expected)
        return self._written(product_id, number)

    @extend_schema(request=SkuBody, responses=SkuSerializer, examples=[SKU_BODY_EXAMPLE, SKU_EXAMPLE])
    def partial_update(self, request: Request, pk: str, sku_id: str) -> Response:
        """Some fields of a SKU."""
        product_id, number, expected = row_id(pk), row_id(sku_id), expected_versions(request)
        services.change_sku(product_id, number, SkuBody.parse(request, partial=True), expected)
        return self._written(product_id, number)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str, sku_id: str) -> Response:
        """Remove a SKU."""
        services.delete_sku(row_id(pk), row_id(sku_id), expected_versions(request))
        return self.reply(status=204)

    def _written(
        self, product_id: int, sku_id: int, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response:
        found = _detail(product_id, sku_id)
        etag = self.etag(found.sku, found.version)
        return self.reply(found.sku, status=status, headers={"ETag": etag, **(headers or {})})


def _detail(product_id: int, sku_id: int) -> SkuDetail:
    found = sku_detail(product_id, sku_id)
    if found is None:
        raise ApplicationError(ErrorCode.NOT_FOUND)
    return found
