"""What goes out, as pydantic models."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer


def _whole_seconds(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Money = Annotated[Decimal, PlainSerializer(float, return_type=float)]
Moment = Annotated[datetime, PlainSerializer(_whole_seconds, return_type=str)]


class Out(BaseModel):
    """What is read from a row."""

    model_config = ConfigDict(from_attributes=True)


class ShopOut(Out):
    """A shop."""

    id: int
    name: str


class ListedProduct(Out):
    """A product in a list."""

    id: int
    sku: str
    title: str
    price: Money | None
    stock: int
    images: list[str]
    category: str | None
    created_at: Moment
    updated_at: Moment
    category_id: int | None
    category_path: str | None
    shop: ShopOut | None
    price_min: Money | None
    price_max: Money | None
    currency: str
    price_tiers: list[dict[str, Any]]
    min_order_quantity: int
    unit: str
    sold_count: int
    status: str
    source: str
    source_id: str
    url: str
    attributes: dict[str, Any]
    version: int
    source_updated_at: Moment | None
    synced_at: Moment | None


class SkuOut(Out):
    """A SKU."""

    id: int
    source_sku_id: str
    spec_id: str
    code: str
    spec: dict[str, Any]
    price: Money | None
    price_tiers: list[dict[str, Any]]
    stock: int
    image: str


class WholeProduct(ListedProduct):
    """A product by itself."""

    description: str
    owned_fields: list[str]
    conflicts: Annotated[list[str], BeforeValidator(lambda value: value or [])]
    skus: list[SkuOut]


class Page(Out):
    """One page of a list."""

    items: list[ListedProduct]
    total: int
    page: int
    page_size: int
    pages: int
    total_exact: bool
    next_cursor: str | None


class Envelope(Out):
    """An answer; `data` is given by those below."""

    code: int
    message: str
    timestamp: str
    request_id: str


class ListAnswer(Envelope):
    """An answer with a page."""

    data: Page


class DetailAnswer(Envelope):
    """An answer with a product."""

    data: WholeProduct
