"""The tables as they are, as models of another project."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.postgres.fields import ArrayField
from django.db import models


class Table(models.Model):
    """A table that somebody else made."""

    class Meta:
        abstract = True
        managed = False
        app_label = "naive"


class User(AbstractBaseUser, Table):
    """A user."""

    username = models.CharField(max_length=50, unique=True)
    status = models.CharField(max_length=10)
    last_login = models.DateTimeField(null=True, db_column="last_login_at")

    USERNAME_FIELD = "username"

    class Meta(Table.Meta):
        db_table = "accounts_user"

    @property
    def is_active(self) -> bool:  # type: ignore[override] # the framework only reads it
        """Whether the user may sign in."""
        return self.status == "active"


class Category(Table):
    """A category."""

    name = models.CharField(max_length=200)
    path = models.TextField()

    class Meta(Table.Meta):
        db_table = "products_category"


class Shop(Table):
    """A shop."""

    name = models.CharField(max_length=200)

    class Meta(Table.Meta):
        db_table = "products_shop"


def _money() -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=12, decimal_places=2, null=True)


class Product(Table):
    """A product."""

    source = models.CharField(max_length=50)
    source_id = models.CharField(max_length=100)
    sku = models.CharField(max_length=120)
    title = models.CharField(max_length=500)
    description = models.TextField()
    category = models.ForeignKey(Category, null=True, on_delete=models.DO_NOTHING)
    shop = models.ForeignKey(Shop, null=True, on_delete=models.DO_NOTHING)
    price = _money()
    price_min = _money()
    price_max = _money()
    currency = models.CharField(max_length=3)
    price_tiers = models.JSONField()
    stock = models.BigIntegerField()
    min_order_quantity = models.PositiveIntegerField()
    unit = models.CharField(max_length=20)
    sold_count = models.BigIntegerField()
    images = models.JSONField()
    attributes = models.JSONField()
    status = models.CharField(max_length=15)
    url = models.TextField()
    owned_fields = ArrayField(models.CharField(max_length=50))
    conflicts = ArrayField(models.CharField(max_length=50), null=True)
    version = models.PositiveIntegerField()
    source_updated_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta(Table.Meta):
        db_table = "products_product"


class Sku(Table):
    """A SKU."""

    product = models.ForeignKey(Product, related_name="skus", on_delete=models.DO_NOTHING)
    source_sku_id = models.CharField(max_length=100)
    spec_id = models.CharField(max_length=64)
    code = models.CharField(max_length=100)
    spec = models.JSONField()
    price = _money()
    price_tiers = models.JSONField()
    stock = models.BigIntegerField()
    image = models.TextField()
    position = models.PositiveIntegerField()

    class Meta(Table.Meta):
        db_table = "products_sku"
        ordering = ("position", "id")
