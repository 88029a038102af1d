"""The shapes of the catalogue's answers and bodies: one module per kind of resource."""

from products.api.serializers.products import (
    CATEGORY_EXAMPLE,
    LISTED_PRODUCT_EXAMPLE,
    PRODUCT_EXAMPLE,
    CategorySerializer,
    ListedProductSerializer,
    ProductSerializer,
)

__all__ = [
    "CATEGORY_EXAMPLE",
    "LISTED_PRODUCT_EXAMPLE",
    "PRODUCT_EXAMPLE",
    "CategorySerializer",
    "ListedProductSerializer",
    "ProductSerializer",
]
