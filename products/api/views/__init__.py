"""The catalogue over HTTP: one module per kind of resource."""

from products.api.views.batches import BatchViewSet
from products.api.views.categories import CategoryViewSet
from products.api.views.exports import ExportViewSet
from products.api.views.feeds import ChangeViewSet
from products.api.views.ownership import OwnershipViewSet
from products.api.views.products import ProductViewSet
from products.api.views.search import SuggestionViewSet
from products.api.views.shops import ShopViewSet
from products.api.views.skus import SkuViewSet

__all__ = [
    "BatchViewSet",
    "CategoryViewSet",
    "ChangeViewSet",
    "ExportViewSet",
    "OwnershipViewSet",
    "ProductViewSet",
    "ShopViewSet",
    "SkuViewSet",
    "SuggestionViewSet",
]
