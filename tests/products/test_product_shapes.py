"""The JSON that PostgreSQL builds is the JSON the documented serializers describe."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from products.api.serializers import ListedProductSerializer, ProductSerializer
from products.models import Product, Sku
from products.selectors.products import product_detail, product_page
from system.api.renderers import dumps
from tests.products.records import apply, record, sku

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(db: None) -> list[Product]:
    """A product with everything and one with nothing, newest first."""
    apply(record("1", source_updated_at=datetime(2026, 5, 1, 12, 0, 0, 999_999, tzinfo=UTC), skus=(sku("a"), sku("b"))))
    apply(record("2", shop=None, category=None, price=None, price_min=None, price_max=None, price_tiers=(), skus=()))
    apply(record("3", title="“引号” \\ / \t <b> 😀", attributes={"深": ["a", "b"]}, price=Decimal("0.10")))
    return list(Product.objects.select_related("category", "shop").order_by("-id"))


def rendered(serializer: Any) -> Any:
    return orjson.loads(dumps(serializer.data))


def test_lists_are_equal(two: list[Product]) -> None:
    page = product_page({}, sort="id", descending=True, limit=20)

    assert orjson.loads(page.items) == rendered(ListedProductSerializer(two, many=True))


def test_details_are_equal(two: list[Product]) -> None:
    for product in two:
        product.skus = list(Sku.objects.filter(product_id=product.pk).order_by("position", "id"))  # type: ignore[attr-defined]
        product.conflicts = product.conflicts or []
        detail = product_detail(product.pk)
        assert detail is not None
        assert orjson.loads(detail.json) == rendered(ProductSerializer(product))


def test_fields_come_in_the_same_order(two: list[Product]) -> None:
    detail = product_detail(two[0].pk)

    assert detail is not None
    assert list(orjson.loads(detail.json)) == list(ProductSerializer.Meta.fields)[:-1]
