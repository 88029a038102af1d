"""Back-office pages of the catalogue: categories, shops, products. A sync writes them, so they are to look at."""

from typing import Any

from django.contrib import admin
from django.db import OperationalError, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from products.models import Category, Product, ProductChange, Shop, Sku
from products.services.ownership import release_fields
from products.services.products import restore_product
from system import sql
from system.backoffice.base import ActingAdmin, Deed, ReadOnlyAdmin
from system.backoffice.filters import ModelChoicesFilter, TextFilter, distinct_values
from system.backoffice.html import Tone, badge, image, json_block, link, page_link, web_address

# A word that is nowhere makes the database read every title; it gets this long.
SEARCH_MILLISECONDS = 3000
SEARCH_MATCHES = 1000
CATEGORY_MATCHES = 500
SHOWN_SKUS = 200
SHOWN_CHANGES = 50
SHOWN_IMAGES = 30

STATUS_TONES: dict[str, Tone] = {
    Product.Status.PUBLISHED: "success",
    Product.Status.REVIEWING: "info",
    Product.Status.REVIEW_FAILED: "danger",
    Product.Status.EXPIRED: "warning",
    Product.Status.DISABLED: "warning",
    Product.Status.DELISTED: "danger",
    Product.Status.DELETED: "danger",
}


class SourceFilter(ModelChoicesFilter):
    """Products of one source."""

    title = _("source")
    parameter_name = "source"
    field = "source"

    def names(self) -> list[tuple[str, Any]]:
        return [(name, name) for name in distinct_values(Product, "source")]


class CategoryFilter(TextFilter):
    """Products of a category and everything below it, by number or by a part of its path."""

    title = _("category")
    parameter_name = "category"
    placeholder = _("number or name")

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Product]") -> "QuerySet[Product]":  # noqa: ARG002
        if not self.text:
            return queryset
        if self.text.isascii() and self.text.isdigit() and len(self.text) < 19:
            below = Q(ancestors__contains=[int(self.text)]) | Q(pk=int(self.text))
        else:
            below = Q(path__icontains=self.text)
        found = Category.objects.filter(below).values_list("pk", flat=True)[:CATEGORY_MATCHES]
        return queryset.filter(category_id__in=list(found))


class StockFilter(admin.SimpleListFilter):
    """In stock or sold out."""

    title = _("in stock")
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002
        return [("yes", _("yes")), ("no", _("no"))]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Product]") -> "QuerySet[Product]":  # noqa: ARG002
        wanted = {"yes": Q(stock__gt=0), "no": Q(stock__lte=0)}.get(self.value() or "")
        return queryset.filter(wanted) if wanted else queryset


@admin.register(Category)
class CategoryAdmin(ReadOnlyAdmin):
    list_display = ["path", "id", "level", "is_leaf", "show_products"]
    list_filter = ["level", "is_leaf"]
    search_fields = ["path", "=id"]
    ordering = ["path"]
    sortable_by = ["path", "id"]

    @admin.display(description=_("products"))
    def show_products(self, category: Category) -> SafeString:
        address = reverse("admin:products_product_changelist", query={"category": str(category.pk)})
        return page_link(address, _("show"))


@admin.register(Shop)
class ShopAdmin(ReadOnlyAdmin):
    list_display = ["name", "source", "source_id", "location", "show_link"]
    search_fields = ["name", "=source_id"]
    ordering = ["-id"]
    sortable_by = ["id"]
    fields = ["name", "source", "source_id", "location", "show_link", "created_at", "updated_at"]

    @admin.display(description=_("link"))
    def show_link(self, shop: Shop) -> SafeString | str:
        return link(shop.url, _("open")) if web_address(shop.url) else self.empty_value_display


@admin.register(Product)
class ProductAdmin(ActingAdmin, ReadOnlyAdmin):
    list_display = [
        "show_image",
        "show_title",
        "show_price",
        "stock",
        "show_status",
        "show_category",
        "source",
        "updated_at",
    ]
    list_display_links = ["show_title"]
    list_filter = ["status", SourceFilter, CategoryFilter, StockFilter]
    list_select_related = ["category", "shop"]
    search_fields = ["title", "sku", "source_id"]
    search_help_text = _("title, SKU or offer id")
    ordering = ["-updated_at", "-id"]
    sortable_by = ["updated_at"]
    change_form_outer_after_template = "backoffice/product_detail.html"
    fieldsets = [
        (None, {"fields": ["show_gallery", "title", "show_status", "show_link", "show_category", "show_shop"]}),
        (_("Price and stock"), {"fields": ["show_price", ("stock", "unit"), ("min_order_quantity", "sold_count")]}),
        (
            _("Origin"),
            {
                "fields": [
                    ("source", "source_id"),
                    ("sku", "version"),
                    ("source_updated_at", "synced_at"),
                    ("created_at", "updated_at"),
                    ("owned_fields", "conflicts"),
                ]
            },
        ),
    ]
    readonly_fields = [
        "show_gallery",
        "show_status",
        "show_link",
        "show_category",
        "show_shop",
        "show_price",
        "version",
        "conflicts",
    ]

    def deeds(self) -> list[Deed]:
        return [
            Deed("release", _("Give fields back to the source"), "undo", self._release, _is_owned),
            Deed("restore", _("Restore"), "restore_from_trash", self._restore, _is_deleted),
        ]

    def _release(self, request: HttpRequest, product: Product) -> str:  # noqa: ARG002
        release_fields(product.pk)
        return gettext("The fields of %(product)s follow the source again.") % {"product": product}

    def _restore(self, request: HttpRequest, product: Product) -> str:  # noqa: ARG002
        restore_product(product.pk)
        return gettext("%(product)s is shown again.") % {"product": product}

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Product]":
        products: QuerySet[Product] = super().get_queryset(request).select_related("category", "shop")
        if self.is_list(request):
            return products.defer("description", "attributes", "price_tiers", "fingerprint", "category__ancestors")
        return products

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        """Every word literally in the title, or the whole text as SKU or offer id; at most `SEARCH_MATCHES` of each."""
        text = search_term.strip()
        if not text:
            return queryset, False
        exact = Q(sku=text) | Q(source_id=text)
        found = set(queryset.filter(exact).values_list("pk", flat=True)[:SEARCH_MATCHES])
        found |= self._title_matches(request, queryset, text)
        return queryset.filter(pk__in=found), False

    def _title_matches(self, request: HttpRequest, queryset: "QuerySet[Any]", text: str) -> set[int]:
        words = Q()
        for word in text[:100].split()[:8]:
            words &= Q(title__icontains=word)
        try:
            with transaction.atomic():
                sql.fetch_one("SELECT set_config('statement_timeout', %s, true)", [str(SEARCH_MILLISECONDS)])
                return set(queryset.filter(words).order_by("-id").values_list("pk", flat=True)[:SEARCH_MATCHES])
        except OperationalError:
            self.message_user(
                request,
                _("The search in titles took too long; narrow it by source, status or category, or search by SKU."),
                level="warning",
            )
            return set()

    @admin.display(description=_("image"))
    def show_image(self, product: Product) -> SafeString:
        return image(next(iter(product.images or []), ""))

    @admin.display(description=_("title"))
    def show_title(self, product: Product) -> SafeString:
        return format_html(
            '<span class="bo-title">{}</span><span class="bo-subtle">{}</span>',
            product.title or "–",
            product.sku or product.source_id,
        )

    @admin.display(description=_("price"))
    def show_price(self, product: Product) -> SafeString | str:
        if product.price is None:
            return self.empty_value_display
        return format_html('<span class="bo-price">{} {}</span>', product.currency, product.price)

    @admin.display(description=_("status"))
    def show_status(self, product: Product) -> SafeString:
        if product.deleted_at:
            return badge(_("deleted"), "danger")
        return badge(product.get_status_display(), STATUS_TONES.get(product.status, "neutral"))

    @admin.display(description=_("category"))
    def show_category(self, product: Product) -> SafeString | str:
        if product.category is None:
            return self.empty_value_display
        address = reverse("admin:products_category_change", args=[product.category.pk])
        return page_link(address, product.category)

    @admin.display(description=_("shop"))
    def show_shop(self, product: Product) -> SafeString | str:
        if product.shop is None:
            return self.empty_value_display
        return page_link(reverse("admin:products_shop_change", args=[product.shop.pk]), product.shop)

    @admin.display(description=_("page at 1688"))
    def show_link(self, product: Product) -> SafeString | str:
        return link(product.url, product.url) if product.url else self.empty_value_display

    @admin.display(description=_("images"))
    def show_gallery(self, product: Product) -> SafeString:
        urls = (product.images or [])[:SHOWN_IMAGES] or [""]
        pictures = format_html_join("", "{}", ((image(url, pixels=120),) for url in urls))
        return format_html('<div class="bo-gallery">{}</div>', pictures)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"detail": _detail(object_id), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)


def _is_owned(product: Product) -> bool:
    return bool(product.owned_fields) and product.deleted_at is None


def _is_deleted(product: Product) -> bool:
    return product.deleted_at is not None


def _detail(object_id: str) -> dict[str, Any]:
    """What belongs to a product and lives in other tables or in JSON columns."""
    product = Product.objects.filter(pk=object_id).first() if object_id.isascii() and object_id.isdigit() else None
    if product is None:
        return {}
    skus = list(Sku.objects.filter(product_id=product.pk).order_by("position", "id")[: SHOWN_SKUS + 1])
    changes = ProductChange.objects.filter(product_id=product.pk).order_by("-id")[:SHOWN_CHANGES]
    return {
        "product": product,
        "skus": [{"row": sku, "image": image(sku.image), "spec": _pairs(sku.spec)} for sku in skus[:SHOWN_SKUS]],
        "skus_cut": len(skus) > SHOWN_SKUS,
        "tiers": [tier for tier in product.price_tiers or [] if isinstance(tier, dict)],
        "attributes": _pairs(product.attributes),
        "changes": [{"row": change, "fields": json_block(change.fields)} for change in changes],
    }


def _pairs(value: Any) -> list[tuple[str, str]]:
    if not isinstance(value, dict):
        return []
    return [(name, "、".join(map(str, said)) if isinstance(said, list) else str(said)) for name, said in value.items()]
