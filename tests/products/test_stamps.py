"""Whatever changes an answer changes the stamp of its list, in the same transaction, and nothing else does."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction

from products import catalog
from products.ingest import presence, stamps
from products.ingest.models import ProductStamp
from products.ingest.presence import Step
from products.ingest.revert import revert
from products.models import Product
from products.records import CategoryRecord, CategoryRef, ChangeSet, FingerprintedProduct, ShopRecord, StockHint
from products.selectors.coverage import coverage
from products.selectors.skus import sku_page
from products.services import ownership, products, skus
from products.services.batch import Operation, Policy, run_batch
from system.sql import execute
from tests.client import ApiClient
from tests.products.records import SOURCE, apply, record, sku

pytestmark = pytest.mark.django_db

HERE, ELSEWHERE = 7, 8
ID = "600000000001"


def file(category: int) -> CategoryRef:
    """A category by its number."""
    return CategoryRef(id=category, names=("数码", f"类{category}"))


def stamp(**filters: Any) -> str:
    return coverage(filters).stamp


@pytest.fixture
def product(db: None) -> Product:
    """One product HERE and one ELSEWHERE."""
    apply(record(ID, category=file(HERE)), record("2", category=file(ELSEWHERE)))
    return Product.objects.get(source_id=ID)


def deleted(product: Product) -> None:
    products.delete_product(product.pk)


def owned(product: Product) -> None:
    products.change_product(product.pk, {"title": "由我们命名"})


Act = Callable[[Product], object]


def nothing(product: Product) -> None:
    """What most writes need before them."""


# By name: what is done before, and the write whose effect lists show.
WRITES: dict[str, tuple[Act, Act]] = {
    "a sync changes it": (nothing, lambda _: apply(record(ID, category=file(HERE), stock=3))),
    "a sync adds another": (nothing, lambda _: apply(record("3", category=file(HERE)))),
    "a sync changes its SKUs": (nothing, lambda _: apply(record(ID, category=file(HERE), skus=(sku(stock=1),)))),
    "a sync moves it": (nothing, lambda _: apply(record(ID, category=file(9)))),
    "a hint tells its stock": (
        nothing,
        lambda _: catalog.apply_stock(
            SOURCE, [StockHint(source_id=ID, stock=1, sku_id="", at=datetime.now(UTC) + timedelta(seconds=1))], None
        ),
    ),
    "a walk delists it": (nothing, lambda p: catalog.delist(SOURCE, [p.pk], 5)),
    "a walk misses it": (
        nothing,
        lambda p: presence.miss(SOURCE, {p.pk: Step.DELISTED}, job_id=9, began=None, delist_after=1),
    ),
    "its source says that it is gone": (nothing, lambda _: presence.say_gone(SOURCE, [ID], 5)),
    "it comes back": (
        lambda p: catalog.delist(SOURCE, [p.pk], 5),
        lambda _: apply(record(ID, category=file(HERE))),
    ),
    "the run that created it is undone": (nothing, lambda p: revert(5, [p.pk])),
    "a run that changed it is undone": (
        lambda _: apply(record(ID, category=file(HERE), stock=3), job_id=6),
        lambda p: revert(6, [p.pk]),
    ),
    "a run that moved it is undone": (
        lambda _: apply(record(ID, category=file(9)), job_id=6),
        lambda p: revert(6, [p.pk]),
    ),
    "its shop has another name": (
        nothing,
        lambda _: apply(
            record(ID, category=file(HERE), shop=ShopRecord(source_id="b2b-1", name="新店名")),
        ),
    ),
    "the tree is another": (
        nothing,
        lambda _: catalog.apply_categories([CategoryRecord(id=HERE, parent_id=None, name="耳机", is_leaf=True)]),
    ),
    "somebody changes it": (nothing, owned),
    "somebody replaces it": (nothing, lambda p: products.replace_product(p.pk, {"sku": p.sku, "title": "新"})),
    "somebody moves it": (nothing, lambda p: products.change_product(p.pk, {"category_id": ELSEWHERE})),
    "somebody disables it": (nothing, lambda p: products.disable_product(p.pk)),
    "somebody publishes it": (
        lambda p: products.disable_product(p.pk),
        lambda p: products.publish_product(p.pk),
    ),
    "somebody deletes it": (nothing, deleted),
    "somebody restores it": (deleted, lambda p: products.restore_product(p.pk)),
    "somebody creates another": (
        nothing,
        lambda _: products.create_product({"sku": "own", "title": "新", "category_id": HERE}),
    ),
    "somebody gives its fields back": (owned, lambda p: ownership.release_fields(p.pk)),
    "a task gives fields back": (owned, lambda p: ownership.release_many({"ids": [p.pk]}, None)),
    "a batch changes it": (
        nothing,
        lambda p: run_batch(Policy.REJECT_ALL, [Operation("update", id=p.pk, values={"title": "新"})]),
    ),
    "a batch deletes it": (nothing, lambda p: run_batch(Policy.REJECT_ALL, [Operation("delete", id=p.pk)])),
    "somebody adds a SKU": (nothing, lambda p: skus.create_sku(p.pk, {"code": "x", "price": 3})),
    "somebody changes a SKU": (
        nothing,
        lambda p: skus.change_sku(p.pk, _sku_of(p), {"price": 3}),
    ),
    "somebody removes a SKU": (nothing, lambda p: skus.delete_sku(p.pk, _sku_of(p))),
}
# These concern products of every category.
EVERYWHERE = {"its shop has another name", "the tree is another"}
INTO_ELSEWHERE = {"somebody moves it"}


def _sku_of(product: Product) -> int:
    listed = sku_page(product.pk, limit=1)
    assert listed
    number: int = listed.items[0]["id"]
    return number


@pytest.mark.parametrize("name", WRITES)
def test_every_write_is_seen_by_the_lists_concerned_and_by_no_other(name: str, product: Product) -> None:
    prepare, write = WRITES[name]
    prepare(product)
    before = {category: stamp(category_id=category) for category in (HERE, ELSEWHERE)}
    whole = stamp()

    with transaction.atomic():
        write(product)

    assert stamp(category_id=HERE) != before[HERE]
    assert stamp() != whole
    is_elsewhere = name in EVERYWHERE | INTO_ELSEWHERE
    assert (stamp(category_id=ELSEWHERE) != before[ELSEWHERE]) is is_elsewhere


@pytest.mark.parametrize("name", WRITES)
def test_the_etag_of_a_list_follows_every_write(name: str, product: Product, reader: ApiClient) -> None:
    prepare, write = WRITES[name]
    prepare(product)
    reader.get("products", category_id=HERE)
    etag = reader.last.headers["ETag"]
    reader.get("products", category_id=HERE)

    with transaction.atomic():
        write(product)

    reader.get("products", category_id=HERE, headers={"If-None-Match": etag})
    assert reader.last.headers["ETag"] != etag


def test_an_unchanged_sync_raises_nothing(product: Product) -> None:
    before = list(ProductStamp.objects.order_by("scope", "shard").values())

    apply(record(ID, category=file(HERE)), record("2", category=file(ELSEWHERE)))
    catalog.delist(SOURCE, [], 5)
    presence.saw(SOURCE, [ID], 5)
    presence.miss(SOURCE, {product.pk: Step.MISSING}, job_id=9, began=None, delist_after=3)

    assert list(ProductStamp.objects.order_by("scope", "shard").values()) == before


def test_a_parent_covers_what_is_filed_below_it(product: Product) -> None:
    catalog.apply_categories(
        [
            CategoryRecord(id=1, parent_id=None, name="数码", is_leaf=False),
            CategoryRecord(id=HERE, parent_id=1, name="耳机", is_leaf=True),
        ]
    )
    parent, other = stamp(category_id=1), stamp(category_id=ELSEWHERE)

    apply(record(ID, category=file(HERE), stock=3))

    assert stamp(category_id=1) != parent
    assert stamp(category="数码") != parent
    assert stamp(category_id=ELSEWHERE) == other


def test_a_rolled_back_write_leaves_the_stamp(product: Product) -> None:
    before = stamp()

    with transaction.atomic():
        owned(product)
        transaction.set_rollback(True)

    assert stamp() == before


def test_rows_written_past_the_catalogue_are_counted_when_asked_for(product: Product, reader: ApiClient) -> None:
    copied = ("source", "sku", "title", "description", "category_id", "currency", "price_tiers", "stock", "images")
    others = "min_order_quantity, unit, sold_count, attributes, status, url, fingerprint, owned_fields, version"
    columns = f"{', '.join(copied)}, {others}, created_at, updated_at"
    execute(
        f"INSERT INTO products_product (source_id, {columns})"  # noqa: S608 - constants only
        f" SELECT 'copy-' || n, {columns} FROM products_product, generate_series(1, 30) AS n WHERE id = %s",
        [product.pk],
    )
    before = stamp(category_id=HERE)

    stamps.recount()

    assert stamp(category_id=HERE) != before
    assert reader.get("products", category_id=HERE, page_size=5)["total"] == 31
    assert reader.get("products", page_size=5)["total"] == 32


@pytest.mark.django_db(transaction=True)
def test_writers_of_one_category_do_not_wait_for_each_other() -> None:
    apply(*(record(str(number), category=file(HERE), shop=None) for number in range(4)))
    before, all_wrote = stamp(category_id=HERE), Barrier(4)

    def write(number: int) -> None:
        try:
            with transaction.atomic():
                catalog.apply(_changed(number))
                # Everybody has raised the same scope and nobody has committed; whoever waited would break this.
                all_wrote.wait(20)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))

    assert stamp(category_id=HERE) > before
    assert ProductStamp.objects.filter(scope=HERE).count() == 4


def _changed(number: int) -> ChangeSet:
    news = record(str(number), category=file(HERE), shop=None, stock=number + 1000)
    return ChangeSet(source=SOURCE, job_id=5, products=(FingerprintedProduct(news, news.fingerprint()),))
