"""Writing products, for operators."""

from collections.abc import Mapping
from typing import ClassVar

import orjson
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from products.api.schema import PRODUCT_BODY_EXAMPLE
from products.api.serializers.bodies import ProductBody
from products.api.serializers.ownership import ReleaseBody
from products.api.serializers.products import PRODUCT_EXAMPLE, ProductSerializer
from products.selectors.products import ProductState, product_detail
from products.selectors.shapes import shape_digest
from products.services import products as services
from products.services.ownership import release_fields
from system.api.conditional import ConditionalViewSet, expected_versions
from system.api.paths import row_id
from system.api.permissions import IsAdmin, IsOperator, Permission
from system.api.serializers import EmptyBody
from system.errors import ApplicationError, ErrorCode


class ProductWrites(ConditionalViewSet):
    """The writes of products, mixed into the view of their reads."""

    action_permissions: ClassVar[Mapping[str, type[Permission]]] = {
        "create": IsOperator,
        "update": IsOperator,
        "partial_update": IsOperator,
        "destroy": IsOperator,
        "publish": IsOperator,
        "disable": IsOperator,
        "release": IsOperator,
        "restore": IsOperator,
        "purge": IsAdmin,
    }

    @extend_schema(
        request=ProductBody, responses={201: ProductSerializer}, examples=[PRODUCT_BODY_EXAMPLE, PRODUCT_EXAMPLE]
    )
    def create(self, request: Request) -> Response:
        """A new product of your own, a draft until it is published."""
        product = services.create_product(ProductBody.parse(request))
        location = f"{request._request.path.rstrip('/')}/{product.pk}"
        return self._written(product.pk, status=201, headers={"Location": location})

    @extend_schema(request=ProductBody, responses=ProductSerializer, examples=[PRODUCT_BODY_EXAMPLE, PRODUCT_EXAMPLE])
    def update(self, request: Request, pk: str) -> Response:
        """All fields of a product; one that is left out goes back to its default.

        What this changes of a synced product belongs to the operator from then on: syncs leave it alone.
        """
        product_id, expected = row_id(pk), expected_versions(request)
        services.replace_product(product_id, ProductBody.parse(request), expected)
        return self._written(product_id)

    @extend_schema(request=ProductBody, responses=ProductSerializer, examples=[PRODUCT_BODY_EXAMPLE, PRODUCT_EXAMPLE])
    def partial_update(self, request: Request, pk: str) -> Response:
        """Some fields of a product. What is as it was is not written again.

        What this changes of a synced product belongs to the operator from then on: syncs leave it alone.
        """
        product_id, expected = row_id(pk), expected_versions(request)
        services.change_product(product_id, ProductBody.parse(request, partial=True), expected)
        return self._written(product_id)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a product. It is kept until an admin purges it, but shown to nobody; its SKU is free again."""
        services.delete_product(row_id(pk), expected_versions(request))
        return self.reply(status=204)

    @extend_schema(request=None, responses=ProductSerializer, examples=[PRODUCT_EXAMPLE])
    def publish(self, request: Request, pk: str) -> Response:
        """Offer a product. It needs a price above 0: its own, a tier's or a SKU's. A published one stays as it is."""
        product_id = row_id(pk)
        EmptyBody.parse(request)
        services.publish_product(product_id, expected_versions(request))
        return self._written(product_id)

    @extend_schema(request=None, responses=ProductSerializer, examples=[PRODUCT_EXAMPLE])
    def disable(self, request: Request, pk: str) -> Response:
        """Take a product off the shelf. A disabled one stays as it is."""
        product_id = row_id(pk)
        EmptyBody.parse(request)
        services.disable_product(product_id, expected_versions(request))
        return self._written(product_id)

    @extend_schema(request=ReleaseBody, responses=ProductSerializer, examples=[PRODUCT_EXAMPLE])
    def release(self, request: Request, pk: str) -> Response:
        """Give fields that an operator owns back to the source, all when `fields` is left out.

        What the source says of them counts at once where that is known, else from the next sync on. The prices go
        together.
        """
        product_id, body = row_id(pk), ReleaseBody.parse(request)
        release_fields(product_id, body.get("fields"), expected_versions(request))
        return self._written(product_id)

    @extend_schema(request=None, responses=ProductSerializer, examples=[PRODUCT_EXAMPLE])
    def restore(self, request: Request, pk: str) -> Response:
        """Show a deleted product again, one that the undo of a run deleted included."""
        product_id = row_id(pk)
        EmptyBody.parse(request)
        services.restore_product(product_id, expected_versions(request))
        return self._written(product_id)

    @extend_schema(request=None, responses={204: None})
    def purge(self, request: Request, pk: str) -> Response:
        """Remove a deleted product for good, with its SKUs and its history."""
        EmptyBody.parse(request)
        services.purge_product(row_id(pk), expected_versions(request))
        return self.reply(status=204)

    def _written(self, product_id: int, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """The whole product as it is now, with the ETag for the next write."""
        product = product_detail(product_id, naming=self.api.naming)
        if product is None:
            raise ApplicationError(ErrorCode.NOT_FOUND)
        etag = self.detail_etag(product.state)
        return self.reply(orjson.Fragment(product.json), status=status, headers={"ETag": etag, **(headers or {})})

    def detail_etag(self, state: ProductState, quantity: int | None = None) -> str:
        """The ETag of a product's detail, at this quantity if one is given."""
        shape = shape_digest(self.api.naming, whole=True, priced=quantity is not None)
        return self.etag_of(state.text, shape, str(quantity), version=state.version)
