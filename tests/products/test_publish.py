"""POST products/{id}/publish and /disable."""

from decimal import Decimal
from typing import Any

import pytest

from products import catalog
from products.models import Product, ProductChange, Sku
from system.models import AuditLog
from tests.client import ApiClient
from tests.products.bodies import own
from tests.products.records import SOURCE, apply, record

pytestmark = pytest.mark.django_db

TIER = [{"start_quantity": 1, "price": Decimal("5.00")}]


@pytest.mark.shows("002/POST items/publish")
def test_a_product_with_a_price_is_published(writer: ApiClient) -> None:
    product = own(price=Decimal("5.00"))

    shown = writer.post(f"products/{product.pk}/publish")

    assert (shown["status"], shown["version"]) == ("published", 2)
    assert shown == writer.get(f"products/{product.pk}")
    assert ProductChange.objects.get(kind="updated").fields == {"status": ["draft", "published"]}
    assert AuditLog.objects.filter(action="product.publish", target_id=str(product.pk)).count() == 1


@pytest.mark.parametrize("price", [None, Decimal("0.00")])
def test_without_a_price_it_cannot_be_published(writer: ApiClient, price: Decimal | None) -> None:
    product = own(price=price)

    error = writer.post(f"products/{product.pk}/publish", expect=422)

    assert (error["code"], list(error["details"])) == ("E01005", ["price"])
    assert Product.objects.get().status == "draft"


@pytest.mark.parametrize("priced", ["tier", "sku"])
def test_the_price_of_a_tier_or_a_sku_is_enough(writer: ApiClient, priced: str) -> None:
    product = own(price_tiers=TIER if priced == "tier" else [])
    if priced == "sku":
        Sku.objects.create(product=product, code="a", price=Decimal("5.00"))

    assert writer.post(f"products/{product.pk}/publish")["status"] == "published"


@pytest.mark.shows("002/DELETE item/disable")
def test_a_product_is_taken_off_the_shelf_and_put_back(writer: ApiClient) -> None:
    path = f"products/{own(price=Decimal('5.00')).pk}"

    states = [writer.post(f"{path}/{act}")["status"] for act in ("publish", "disable", "publish")]

    assert states == ["published", "disabled", "published"]


@pytest.mark.parametrize("act", ["publish", "disable"])
def test_the_same_once_more_changes_nothing(writer: ApiClient, act: str) -> None:
    path = f"products/{own(price=Decimal('5.00')).pk}"

    assert writer.post(f"{path}/{act}") == writer.post(f"{path}/{act}")
    assert ProductChange.objects.filter(kind="updated").count() == 1


@pytest.mark.parametrize("act", ["publish", "disable"])
def test_what_the_source_no_longer_offers_stays_so(writer: ApiClient, act: str) -> None:
    apply(record())
    product = Product.objects.get()
    catalog.delist(SOURCE, [product.pk], None)

    error = writer.post(f"products/{product.pk}/{act}", expect=409)

    assert (error["code"], error["details"]) == ("E01007", {"status": "delisted"})


def test_a_sync_does_not_put_a_disabled_product_back(writer: ApiClient) -> None:
    apply(record())
    product = Product.objects.get()

    writer.post(f"products/{product.pk}/disable")
    apply(record(stock=1))

    product.refresh_from_db()
    assert (product.status, product.stock, product.owned_fields) == ("disabled", 1, ["status"])


def test_a_product_that_is_published_again_follows_its_source_again(writer: ApiClient) -> None:
    apply(record())
    product = Product.objects.get()
    writer.post(f"products/{product.pk}/disable")
    apply(record(status="expired"))

    writer.post(f"products/{product.pk}/publish")

    product.refresh_from_db()
    assert (product.status, product.owned_fields) == ("published", [])
    apply(record(status="expired"))
    product.refresh_from_db()
    assert product.status == "expired"


def test_what_was_never_disabled_is_published_against_its_source(writer: ApiClient) -> None:
    apply(record(status="reviewing"))
    product = Product.objects.get()

    writer.post(f"products/{product.pk}/publish")
    apply(record(status="reviewing", stock=1))

    product.refresh_from_db()
    assert (product.status, product.stock, product.owned_fields) == ("published", 1, ["status"])


@pytest.mark.parametrize("sent", [{"status": "published"}, {"x": 1}])
@pytest.mark.parametrize("act", ["publish", "disable"])
def test_it_takes_no_body(writer: ApiClient, act: str, sent: dict[str, Any]) -> None:
    product = own(price=Decimal("5.00"))

    assert list(writer.post(f"products/{product.pk}/{act}", sent, expect=400)["details"]) == list(sent)
    writer.post(f"products/{product.pk}/{act}", {})


def test_a_stale_etag_is_refused(writer: ApiClient) -> None:
    path = f"products/{own(price=Decimal('5.00')).pk}"
    writer.get(path)
    old = writer.last.headers["ETag"]

    writer.post(f"{path}/publish", headers={"If-Match": old})
    writer.post(f"{path}/disable", headers={"If-Match": old}, expect=412)
