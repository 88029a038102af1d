"""The catalogue: categories, shops, products, SKUs and the feed of their changes.

References are id columns without constraints; selectors join explicitly and services delete what belongs together.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from products.ingest.models import ProductStamp
from products.search.models import SearchBuild, SearchPair, SearchShop, SearchText, Suggestion, SuggestionRefresh

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

__all__ = [
    "Category",
    "MissingProduct",
    "Product",
    "ProductChange",
    "ProductStamp",
    "SearchBuild",
    "SearchPair",
    "SearchShop",
    "SearchText",
    "Shop",
    "ShopFollow",
    "Sku",
    "Suggestion",
    "SuggestionRefresh",
]

# Below are the platform's own category numbers, from here on the ones this system gives to other sources' categories.
FIRST_OWN_CATEGORY_ID = 10**12

_SHOWN = models.Q(deleted_at=None)
_RARE = _SHOWN & ~models.Q(status="published")


class TransactionIdField(models.Field):  # type: ignore[type-arg] # no type arguments while running
    """PostgreSQL's 64-bit number of a transaction; it never comes again."""

    def db_type(self, connection: Any) -> str:  # noqa: ARG002 (the framework's signature)
        """The column's type."""
        return "xid8"


def _reference(
    to: str, *, verbose_name: "_StrOrPromise", null: bool = True, index: bool = False
) -> "models.ForeignKey[Any, Any]":
    """An id column the admin can follow; no constraint, no reverse relation.

    `index` where no wider index begins with it.
    """
    return models.ForeignKey(
        to,
        null=null,
        blank=null,
        db_constraint=False,
        db_index=index,
        related_name="+",
        on_delete=models.DO_NOTHING,
        verbose_name=verbose_name,
    )


# What filters compare and lists are sorted by, as far as an index does not begin with it.
_COMPARED = ("status", "source", "category", "price", "stock", "sold_count", "created_at", "updated_at")
_ORDERED = dict(zip(("category", "price", "stock", "sold", "created", "updated"), _COMPARED[2:], strict=True))


def _listing_index(
    *fields: str, name: str, also: Sequence[str] = _COMPARED, condition: models.Q = _SHOWN
) -> models.Index:
    include = [name for name in also if name not in fields]
    return models.Index(fields=fields, include=include, condition=condition, name=name)


class Category(models.Model):
    """A node of the category tree.

    `path` lists the names from the root, joined by " / "; `ancestors` their ids, own id last.
    """

    id = models.BigIntegerField(primary_key=True)
    parent = _reference("self", verbose_name=_("parent"), index=True)
    name = models.CharField(_("name"), max_length=200)
    path = models.TextField(_("path"), default="")
    ancestors = ArrayField(models.BigIntegerField(), verbose_name=_("ancestors"), default=list)
    level = models.PositiveSmallIntegerField(_("level"), default=1)
    is_leaf = models.BooleanField(_("leaf"), default=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    updated_at = models.DateTimeField(_("updated at"), default=timezone.now)

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        constraints = [
            # Other sources know categories by name only: one row a path.
            models.UniqueConstraint(
                fields=["path"], condition=models.Q(id__gte=FIRST_OWN_CATEGORY_ID), name="category_own_path"
            ),
        ]
        indexes = [GinIndex(fields=["ancestors"], name="category_ancestors")]

    def __str__(self) -> str:
        return self.path or self.name


class Shop(models.Model):
    """A supplier, as one source names it."""

    source = models.CharField(_("source"), max_length=50)
    source_id = models.CharField(_("id at the source"), max_length=100)
    name = models.CharField(_("name"), max_length=200)
    url = models.TextField(_("link"), default="", blank=True)
    location = models.CharField(_("location"), max_length=200, default="", blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    updated_at = models.DateTimeField(_("updated at"), default=timezone.now)

    class Meta:
        verbose_name = _("shop")
        verbose_name_plural = _("shops")
        constraints = [models.UniqueConstraint(fields=["source", "source_id"], name="shop_source")]

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """One offer. Rows a sync finds unchanged are not touched, so `synced_at` is the last change by a sync.

    `source` is the name of the source ("" = made by hand) and `source_id` the product's id there. `price` is what a
    buyer pays per unit at the minimum order quantity, null when hidden. `price_tiers` is
    [{"start_quantity": int, "price": number}] in rising quantity. `fingerprint` covers all that a source says;
    `owned_fields` names the fields an operator owns, `source_values` holds what the source says of them, `conflicts`
    those where that is something else (null = nowhere). `version` rises with every write and is the ETag.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")
        REVIEWING = "reviewing", _("in review")
        REVIEW_FAILED = "review_failed", _("review failed")
        EXPIRED = "expired", _("expired")
        DISABLED = "disabled", _("disabled")
        DELISTED = "delisted", _("delisted")
        DELETED = "deleted", _("deleted at the source")

    source = models.CharField(_("source"), max_length=50, default="", blank=True)
    source_id = models.CharField(_("id at the source"), max_length=100, default="", blank=True)
    sku = models.CharField(_("SKU"), max_length=120)
    title = models.CharField(_("title"), max_length=500)
    description = models.TextField(_("description"), default="", blank=True)
    category = _reference("products.Category", verbose_name=_("category"))
    shop = _reference("products.Shop", verbose_name=_("shop"))
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2, null=True, blank=True)
    price_min = models.DecimalField(_("lowest price"), max_digits=12, decimal_places=2, null=True, blank=True)
    price_max = models.DecimalField(_("highest price"), max_digits=12, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, default="CNY")
    price_tiers = models.JSONField(_("price tiers"), default=list, blank=True)
    quote_type = models.PositiveSmallIntegerField(_("quote type"), null=True, blank=True)
    stock = models.BigIntegerField(_("stock"), default=0)
    min_order_quantity = models.PositiveIntegerField(_("minimum order quantity"), default=1)
    unit = models.CharField(_("unit"), max_length=20, default="", blank=True)
    sold_count = models.BigIntegerField(_("sold"), default=0)
    images = models.JSONField(_("images"), default=list, blank=True)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    status = models.CharField(_("status"), max_length=15, choices=Status, default=Status.DRAFT)
    url = models.TextField(_("link"), default="", blank=True)
    fingerprint = models.BinaryField(default=b"", editable=False)
    owned_fields = ArrayField(
        models.CharField(max_length=50), verbose_name=_("operator-owned fields"), default=list, blank=True
    )
    source_values = models.JSONField(_("values of the source"), null=True, blank=True, editable=False)
    conflicts = ArrayField(
        models.CharField(max_length=50), verbose_name=_("conflicting fields"), null=True, blank=True, editable=False
    )
    conflicts_at = models.DateTimeField(_("in conflict since"), null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    source_updated_at = models.DateTimeField(_("updated at the source"), null=True, blank=True)
    # The moment of the latest stock hint, so that an older one that comes late changes nothing (`catalog.apply_stock`).
    stock_at = models.DateTimeField(null=True, blank=True, editable=False)
    synced_at = models.DateTimeField(_("last changed by a sync"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    updated_at = models.DateTimeField(_("updated at"), default=timezone.now)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        constraints = [
            models.UniqueConstraint(
                fields=["source", "source_id"], condition=~models.Q(source=""), name="product_source"
            ),
            models.UniqueConstraint(
                fields=["sku"], condition=models.Q(source="", deleted_at=None), name="product_own_sku"
            ),
        ]
        # One for each order of the product list and each filter that leaves few of a million rows; the rare states get
        # the index on status. They hold what the others compare as well, so that deep pages, totals, and filters that
        # go against an order (the oldest of what is new) pass over rows in the index alone.
        indexes = [
            _listing_index("id", name="product_live"),
            _listing_index("shop", "id", also=["status"], name="product_shop"),
            _listing_index("status", "id", also=[*_COMPARED, "shop"], condition=_RARE, name="product_status"),
            *(_listing_index(column, "id", name=f"product_{name}") for name, column in _ORDERED.items()),
            models.Index(fields=["sku"], name="product_sku"),
            # Few rows: what operators own, and where their source disagrees.
            models.Index(fields=["source", "id"], condition=~models.Q(owned_fields=[]), name="product_owned"),
            models.Index(
                fields=["id"],
                include=["source", "conflicts", "conflicts_at"],
                condition=_SHOWN & models.Q(conflicts__isnull=False),
                name="product_conflict",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Sku(models.Model):
    """A sellable variant of a product; `spec` maps the names of its properties to values."""

    product = _reference("products.Product", null=False, verbose_name=_("product"), index=True)
    source_sku_id = models.CharField(_("id at the source"), max_length=100, default="", blank=True)
    spec_id = models.CharField(_("spec id"), max_length=64, default="", blank=True)
    code = models.CharField(_("code"), max_length=100, default="", blank=True)
    spec = models.JSONField(_("properties"), default=dict, blank=True)
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2, null=True, blank=True)
    # Only of products that quote each SKU by quantity, like the product's own.
    price_tiers = models.JSONField(_("price tiers"), default=list, blank=True)
    stock = models.BigIntegerField(_("stock"), default=0)
    stock_at = models.DateTimeField(null=True, blank=True, editable=False)
    image = models.TextField(_("image"), default="", blank=True)
    position = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    updated_at = models.DateTimeField(_("updated at"), default=timezone.now)

    class Meta:
        verbose_name = _("SKU")
        verbose_name_plural = _("SKUs")
        constraints = [
            models.UniqueConstraint(
                fields=["product", "source_sku_id"], condition=~models.Q(source_sku_id=""), name="sku_source"
            ),
        ]

    def __str__(self) -> str:
        return self.code or self.source_sku_id


class ShopFollow(models.Model):
    """Somebody follows a shop (seed 002, `POST /shop/follow`)."""

    user_id = models.BigIntegerField(_("user"))
    shop = _reference("products.Shop", null=False, verbose_name=_("shop"), index=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("followed shop")
        verbose_name_plural = _("followed shops")
        constraints = [models.UniqueConstraint(fields=["user_id", "shop"], name="shopfollow_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.shop_id}"


class ProductChange(models.Model):
    """One line of the append-only change feed. `fields` maps a name to [before, after], `reason` is one of `Reason`.

    A product that its source does not show any more climbs a ladder: missing, suspect, delisted. The steps before the
    last one and `seen_again` are history only: they change neither the product nor its version.
    `xact` is the transaction that wrote the line, set by the database. Ids are drawn before a commit, so a reader who
    has seen number 10 may find number 9 later; transactions that have ended give an order that only grows.
    """

    class Kind(models.TextChoices):
        CREATED = "created", _("created")
        UPDATED = "updated", _("updated")
        MISSING = "missing", _("missing once")
        SUSPECT = "suspect", _("suspect")
        DELISTED = "delisted", _("delisted")
        SEEN_AGAIN = "seen_again", _("seen again")
        RESTORED = "restored", _("restored")
        DELETED = "deleted", _("deleted")

    class Reason(models.TextChoices):
        NOT_IN_WALK = "not_in_walk", _("a complete walk did not see it")
        SOURCE_SAYS_GONE = "source_says_gone", _("its source says that it does not exist")

    # What is told of a product without changing it.
    STEPS = (Kind.MISSING, Kind.SUSPECT, Kind.SEEN_AGAIN)

    product = _reference("products.Product", null=False, verbose_name=_("product"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    fields = models.JSONField(_("changed fields"), default=dict)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason, default="", db_default="", blank=True)
    # The sync job that caused it; an id only, because the catalogue does not know jobs.
    job_id = models.BigIntegerField(_("job"), null=True, blank=True)
    at = models.DateTimeField(_("at"), default=timezone.now)
    xact = TransactionIdField(
        db_default=models.Func(function="pg_current_xact_id", output_field=TransactionIdField()), editable=False
    )

    class Meta:
        verbose_name = _("product change")
        verbose_name_plural = _("product changes")
        indexes = [
            models.Index(fields=["product", "id"], name="change_product"),
            models.Index(fields=["job_id", "id"], condition=models.Q(job_id__isnull=False), name="change_job"),
            models.Index(fields=["xact", "id"], name="change_feed"),
            # Lines come in the order of time, nearly: a few kilobytes tell which of a million are recent.
            BrinIndex(fields=["at"], autosummarize=True, name="change_at"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.product_id}"


class MissingProduct(models.Model):
    """A product that the last complete walk of its source did not see; no row for any other product.

    `walks` counts the complete walks in a row that missed it, `job_id` is the last of them, so that none counts twice.
    0: so far only a walk that waits for a decision misses it. Whoever sees the product removes the row.
    """

    product_id = models.BigIntegerField(primary_key=True)
    source = models.CharField(_("source"), max_length=50)
    source_id = models.CharField(_("id at the source"), max_length=100)
    walks = models.PositiveSmallIntegerField(_("walks in a row that missed it"), default=0)
    job_id = models.BigIntegerField(_("job"), null=True, blank=True)
    since = models.DateTimeField(_("missing since"), default=timezone.now)

    class Meta:
        verbose_name = _("missing product")
        verbose_name_plural = _("missing products")
        constraints = [models.UniqueConstraint(fields=["source", "source_id"], name="missing_source")]

    def __str__(self) -> str:
        return f"{self.source} {self.source_id}"
