"""The write port: what a batch of records does to the catalogue."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from products import catalog
from products.models import Category, Product, ProductChange, Shop, Sku
from products.records import ApplyResult, CategoryRef, ChangeSet, ShopRecord
from system.sql import fetch_one
from tests.products.records import SOURCE, apply, record, sku

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def kinds_and_fields() -> list[tuple[str, dict[str, object]]]:
    return list(ProductChange.objects.order_by("id").values_list("kind", "fields"))


def test_a_new_product_is_stored_whole() -> None:
    assert apply(record(source_updated_at=NOON)) == ApplyResult(created=1)

    product = Product.objects.get()
    assert (product.source, product.source_id, product.sku) == (SOURCE, "600000000001", "1688-600000000001")
    assert (product.title, product.price, product.stock, product.unit) == ("无线蓝牙耳机", Decimal("9.90"), 100, "件")
    assert product.price_tiers == [{"start_quantity": 2, "price": 9.9}, {"start_quantity": 100, "price": 8.0}]
    assert product.attributes == {"品牌": "无", "颜色": ["红色", "蓝色"]}
    assert product.images == ["https://cbu01.alicdn.com/img/1.jpg"]
    assert product.source_updated_at == NOON
    assert (product.version, product.owned_fields, product.deleted_at) == (1, [], None)
    assert product.synced_at == product.created_at == product.updated_at
    assert bytes(product.fingerprint) == record(source_updated_at=NOON).fingerprint()
    assert Sku.objects.values_list("product_id", "source_sku_id", "spec", "price", "stock", "position").get() == (
        product.pk,
        "4839",
        {"颜色": "红色"},
        Decimal("9.90"),
        10,
        0,
    )
    assert Shop.objects.values_list("id", "source", "name").get() == (product.shop_id, SOURCE, "深圳市耳机厂")
    assert ProductChange.objects.values_list("product_id", "kind", "fields", "job_id", "at").get() == (
        product.pk,
        "created",
        {},
        5,
        product.created_at,
    )


def test_a_changed_product_tells_each_field_before_and_after() -> None:
    apply(record())
    first = Product.objects.get()

    result = apply(record(title="有线耳机", price=Decimal("8.80"), attributes={"品牌": "乙"}), job_id=6)

    assert result == ApplyResult(updated=1, fields={"title": 1, "price": 1, "attributes": 1})
    product = Product.objects.get()
    assert (product.title, product.price, product.version) == ("有线耳机", Decimal("8.80"), 2)
    assert product.created_at == first.created_at
    assert product.synced_at == product.updated_at > first.updated_at
    change = ProductChange.objects.get(kind="updated")
    assert change.job_id == 6
    assert change.fields == {
        "title": ["无线蓝牙耳机", "有线耳机"],
        "price": [9.9, 8.8],
        "attributes": [{"品牌": "无", "颜色": ["红色", "蓝色"]}, {"品牌": "乙"}],
    }


def test_one_batch_creates_updates_and_leaves_alone() -> None:
    apply(record("1"), record("2"))

    assert apply(record("1"), record("2", stock=1), record("3")) == ApplyResult(
        created=1, updated=1, unchanged=1, fields={"stock": 1}
    )


def test_an_unchanged_product_is_not_written_at_all() -> None:
    apply(record(skus=(sku("1"), sku("2"))))
    before = _physical_rows()

    assert apply(record(skus=(sku("1"), sku("2")))) == ApplyResult(unchanged=1)

    assert _physical_rows() == before


def test_only_the_sku_that_changed_is_rewritten() -> None:
    apply(record(skus=(sku("1"), sku("2"), sku("3"))))
    before = dict(Sku.objects.values_list("source_sku_id", "updated_at"))

    apply(record(skus=(sku("1"), sku("2", stock=3), sku("3"))))

    after = dict(Sku.objects.values_list("source_sku_id", "updated_at"))
    assert {key for key in after if after[key] != before[key]} == {"2"}
    assert kinds_and_fields()[1] == ("updated", {"skus": [{"2": {"stock": 10}}, {"2": {"stock": 3}}]})


def test_vanished_skus_go_and_new_ones_come() -> None:
    apply(record(skus=(sku("1"), sku("2"))))
    kept = Sku.objects.get(source_sku_id="2").pk

    apply(record(skus=(sku("2"), sku("3", price=None))))

    assert list(Sku.objects.order_by("position").values_list("source_sku_id", flat=True)) == ["2", "3"]
    assert Sku.objects.get(source_sku_id="2").pk == kept
    facts = {"spec_id": "", "code": "", "stock": 10, "image": "", "price_tiers": [], "spec": {"颜色": "红色"}}
    gone, come = {"1": facts | {"price": 9.9}}, {"3": facts | {"price": None}}
    assert kinds_and_fields()[1] == ("updated", {"skus": [gone, come]})


def test_skus_without_an_id_are_known_again_by_their_properties() -> None:
    red, blue = sku("", spec={"颜色": "红色"}), sku("", spec={"颜色": "蓝色"})
    apply(record(skus=(red, blue)))
    before = set(Sku.objects.values_list("id", flat=True))

    apply(record(skus=(blue, sku("", spec={"颜色": "红色"}, stock=1))))

    assert set(Sku.objects.values_list("id", flat=True)) == before
    assert Sku.objects.get(spec={"颜色": "红色"}).stock == 1


def test_a_sku_made_by_hand_survives_a_sync() -> None:
    apply(record())
    Sku.objects.create(product_id=Product.objects.get().pk, code="own")

    apply(record(skus=()))

    assert Sku.objects.get().code == "own"


def test_an_older_state_never_overwrites_a_newer_one() -> None:
    apply(record(title="new", source_updated_at=NOON))

    result = apply(record(title="old", source_updated_at=NOON - timedelta(seconds=1)))

    assert result == ApplyResult(unchanged=1)
    assert Product.objects.get().title == "new"


def test_of_two_states_in_one_batch_the_newer_is_stored() -> None:
    newer, older = (
        record(title="new", source_updated_at=NOON),
        record(title="old", source_updated_at=NOON.replace(hour=1)),
    )

    assert apply(newer, older) == ApplyResult(created=1, unchanged=1)
    assert Product.objects.get().title == "new"


def test_an_operators_fields_stay() -> None:
    apply(record())
    Product.objects.update(owned_fields=["price", "category", "skus"], price=Decimal("99.00"))

    result = apply(record(price=Decimal("1.00"), stock=7, category=CategoryRef(id=8), skus=()))

    assert result == ApplyResult(updated=1, fields={"stock": 1})
    product = Product.objects.get()
    assert (product.price, product.stock, product.category_id) == (Decimal("99.00"), 7, 7)
    assert Sku.objects.count() == 1
    assert kinds_and_fields()[1] == ("updated", {"stock": [100, 7]})


def test_a_difference_in_an_owned_field_alone_is_remembered_but_changes_nothing() -> None:
    apply(record())
    Product.objects.update(owned_fields=["price"])
    news = record(price=Decimal("1.00"))

    assert apply(news) == ApplyResult(unchanged=1)

    product = Product.objects.get()
    assert (product.price, product.version) == (Decimal("9.90"), 1)
    assert catalog.load_fingerprints(SOURCE, [news.source_id])[news.source_id].fingerprint == news.fingerprint()
    assert ProductChange.objects.count() == 1


def test_a_delisted_product_that_comes_back_unchanged_is_restored() -> None:
    apply(record())
    product_id = Product.objects.get().pk
    assert catalog.delist(SOURCE, [product_id], 9) == 1
    assert catalog.load_fingerprints(SOURCE, ["600000000001"])["600000000001"] == (product_id, b"", "delisted", False)

    assert apply(record()) == ApplyResult(updated=1, fields={"status": 1})

    product = Product.objects.get()
    assert (product.status, product.version) == ("published", 3)
    assert kinds_and_fields() == [
        ("created", {}),
        ("delisted", {"status": ["published", "delisted"]}),
        ("restored", {"status": ["delisted", "published"]}),
    ]


@pytest.mark.uncounted
def test_a_product_an_operator_deleted_stays_deleted() -> None:
    apply(record())
    Product.objects.update(deleted_at=NOON)

    apply(record(title="news"))

    assert Product.objects.values_list("title", "deleted_at").get() == ("news", NOON)
    assert catalog.count_listed(SOURCE) == 0


def test_delisting_counts_only_what_was_listed() -> None:
    apply(record("1"), record("2"), record("3", status="deleted"), record("4"))
    Product.objects.filter(source_id="4").update(owned_fields=["status"])
    ids = list(Product.objects.values_list("id", flat=True))
    assert catalog.count_listed(SOURCE) == 3

    assert catalog.delist(SOURCE, ids, None) == 2
    assert catalog.delist(SOURCE, ids, None) == 0

    assert catalog.count_listed(SOURCE) == 1
    assert ProductChange.objects.filter(kind="delisted").count() == 2
    assert catalog.delist("other", ids, None) == 0


def test_a_shop_that_changes_is_written_once_and_its_products_are_not() -> None:
    apply(record("1"), record("2"))
    moved = ShopRecord(source_id="b2b-1", name="深圳市耳机厂", location="深圳")

    assert apply(record("1", shop=moved), record("2", shop=moved)) == ApplyResult(unchanged=2)

    assert Shop.objects.get().location == "深圳"
    assert set(Product.objects.values_list("version", flat=True)) == {1}
    assert Product.objects.get(source_id="1").fingerprint == record("1", shop=moved).fingerprint()


def test_a_product_that_changes_its_shop_follows_it() -> None:
    apply(record())
    old = Product.objects.get().shop_id

    apply(record(shop=ShopRecord(source_id="b2b-2", name="乙")))

    new = Product.objects.get().shop_id
    assert new == Shop.objects.get(source_id="b2b-2").pk
    assert kinds_and_fields()[1] == ("updated", {"shop_id": [old, new]})


def test_a_product_needs_neither_shop_nor_category_nor_price() -> None:
    assert apply(record(shop=None, category=None, price=None, price_min=None, price_max=None)).created == 1
    assert set(Product.objects.values_list("shop_id", "category_id", "price").get()) == {None}


def test_two_sources_may_use_the_same_ids() -> None:
    apply(record())

    assert apply(record(title="other"), source="feed") == ApplyResult(created=1)
    assert Product.objects.count() == Shop.objects.count() == 2


def test_a_full_batch_of_large_products_is_written_in_twenty_statements(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    def batch(stock: int) -> list[object]:
        return [record(f"{n:04}", skus=tuple(sku(f"{n}-{k}", stock=stock) for k in range(24))) for n in range(1000)]

    with django_assert_max_num_queries(20):
        assert apply(*batch(1)) == ApplyResult(created=1000)  # type: ignore[arg-type]
    with django_assert_max_num_queries(20):
        assert apply(*batch(2)) == ApplyResult(updated=1000, fields={"skus": 1000})  # type: ignore[arg-type]
    assert Sku.objects.filter(stock=2).count() == 24_000


@pytest.mark.django_db(transaction=True)
def test_writing_outside_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        catalog.apply(ChangeSet(source=SOURCE, job_id=None))


def test_categories_of_the_platform_are_known_before_their_tree_is() -> None:
    apply(record())

    assert Category.objects.values_list("id", "name", "path").get() == (7, "耳机", "数码 / 耳机")


def _physical_rows() -> tuple[object, ...] | None:
    return fetch_one(
        "SELECT (SELECT array_agg((ctid, xmin)::text) FROM products_product),"
        " (SELECT array_agg((ctid, xmin, xmax)::text) FROM products_sku),"
        " (SELECT array_agg((ctid, xmin, xmax)::text) FROM products_shop),"
        " (SELECT array_agg((ctid, xmin, xmax)::text) FROM products_category),"
        " (SELECT count(*) FROM products_productchange)"
    )
