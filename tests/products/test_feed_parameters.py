"""GET products/changes: what narrows the feed, and what is refused."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from accounts.models import User
from products.models import Product, ProductChange, Shop
from products.records import ShopRecord
from products.services.follows import follow_shop
from tests.client import ApiClient
from tests.conftest import eventually
from tests.products.records import apply, record
from tests.products.test_change_feed import products_of, settled

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lines(plain_user: User) -> dict[str, int]:
    """Changes of two products of two shops and sources, one of which is followed."""
    apply(record("1", shop=ShopRecord(source_id="a", name="A")))
    apply(record("2", shop=ShopRecord(source_id="b", name="B")), source="other")
    apply(record("1", shop=ShopRecord(source_id="a", name="A"), stock=5))
    ids = dict(Product.objects.values_list("source_id", "id"))
    follow_shop(plain_user.pk, Shop.objects.get(source_id="b").pk)
    old = datetime(2026, 1, 1, tzinfo=UTC)
    ProductChange.objects.filter(product_id=ids["2"]).update(at=old)
    settled()
    return ids


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["1", "2", "1"]),
        ("kind=updated", ["1"]),
        ("kind=created,updated&source=other", ["2"]),
        ("product_id={1}", ["1", "1"]),
        ("followed=true", ["2"]),
        ("followed=false", ["1", "1"]),
        ("since=2026-02-01", ["1", "1"]),
        ("since=2026-02-01&kind=created", ["1"]),
        ("since=2099-01-01", []),
        ("limit=1&kind=created", ["1"]),
    ],
)
def test_filters(reader: ApiClient, lines: dict[str, int], query: str, expected: list[str]) -> None:
    asked = f"products/changes?{query.replace('{1}', str(lines['1']))}"

    # Another database's transaction that ends while the feed is read holds it back, until it is read again.
    eventually(lambda: products_of(reader.get(asked)) == [lines[name] for name in expected])


@pytest.mark.uncounted
def test_a_deleted_product_stays_in_the_feed(reader: ApiClient, lines: dict[str, int]) -> None:
    Product.objects.filter(pk=lines["2"]).update(deleted_at=timezone.now())
    Product.objects.filter(pk=lines["1"]).delete()

    skus = {item["product_id"]: item["sku"] for item in reader.get("products/changes")["items"]}
    assert skus == {lines["1"]: None, lines["2"]: "1688-2"}


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("cursor=abc", "cursor"),
        ("cursor=", "cursor"),
        *[(f"limit={value}", "limit") for value in ("0", "101", "x", "-1")],
        ("kind=gone", "kind"),
        ("product_id=x", "product_id"),
        ("followed=1", "followed"),
        ("since=yesterday", "since"),
        ("page=1", "page"),
        ("wait=1", "wait"),
    ],
)
def test_a_bad_parameter_is_named(reader: ApiClient, query: str, named: str) -> None:
    assert named in reader.get(f"products/changes?{query}", expect=400)["details"]


def test_a_cursor_of_a_list_is_refused(reader: ApiClient) -> None:
    apply(record("1"), record("2"))
    cursor = reader.get("products", limit=1)["next_cursor"]

    assert "cursor" in reader.get("products/changes", cursor=cursor, expect=400)["details"]
