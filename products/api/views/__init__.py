"""The catalogue over HTTP: one module per kind of resource."""

from products.api.views.categories import CategoryViewSet
from products.api.views.products import ProductViewSet

__all__ = ["CategoryViewSet", "ProductViewSet"]
