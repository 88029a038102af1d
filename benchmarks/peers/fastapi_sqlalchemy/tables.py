"""The catalogue's tables as SQLAlchemy models."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {dict[str, Any]: JSONB, list[Any]: JSONB, list[str]: ARRAY(String)}


class Category(Base):
    """A category."""

    __tablename__ = "products_category"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    path: Mapped[str]


class Shop(Base):
    """A shop."""

    __tablename__ = "products_shop"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Sku(Base):
    """A SKU."""

    __tablename__ = "products_sku"
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products_product.id"))
    source_sku_id: Mapped[str]
    spec_id: Mapped[str]
    code: Mapped[str]
    spec: Mapped[dict[str, Any]]
    price: Mapped[Decimal | None]
    price_tiers: Mapped[list[Any]]
    stock: Mapped[int]
    image: Mapped[str]
    position: Mapped[int]


class Product(Base):
    """A product."""

    __tablename__ = "products_product"
    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str]
    title: Mapped[str]
    description: Mapped[str]
    price: Mapped[Decimal | None]
    stock: Mapped[int]
    images: Mapped[list[Any]]
    category_id: Mapped[int | None] = mapped_column(ForeignKey("products_category.id"))
    shop_id: Mapped[int | None] = mapped_column(ForeignKey("products_shop.id"))
    price_min: Mapped[Decimal | None]
    price_max: Mapped[Decimal | None]
    currency: Mapped[str]
    price_tiers: Mapped[list[Any]]
    min_order_quantity: Mapped[int]
    unit: Mapped[str]
    sold_count: Mapped[int]
    status: Mapped[str]
    source: Mapped[str]
    source_id: Mapped[str]
    url: Mapped[str]
    attributes: Mapped[dict[str, Any]]
    owned_fields: Mapped[list[str]]
    conflicts: Mapped[list[str] | None] = mapped_column(ARRAY(String))
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    source_updated_at: Mapped[datetime | None]
    synced_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    category_row: Mapped[Category | None] = relationship()
    shop: Mapped[Shop | None] = relationship()
    skus: Mapped[list[Sku]] = relationship(order_by="(Sku.position, Sku.id)")

    @property
    def category(self) -> str | None:
        """The category's name."""
        return self.category_row.name if self.category_row else None

    @property
    def category_path(self) -> str | None:
        """The category's names from the root."""
        return self.category_row.path if self.category_row else None
