"""The same bytes are not mapped again, and nothing is missed for that."""

import pytest
from django.db import connection

from products.models import Product, ProductChange
from syncjobs.engine.contracts import Page, RawRecord
from syncjobs.engine.editions import edition
from syncjobs.engine.normalize import Normalized
from syncjobs.models import RawAnswer, Source, SyncJob
from system.models import Setting
from tests.syncjobs.conftest import start, work
from tests.syncjobs.scripted import World

OFFER = "100001"


@pytest.fixture
def shop(source: Source, world: World) -> World:
    """Twelve products that are known, of a source whose mapping has an edition."""
    world.edition = b"edition1"
    world.offer(12)
    work(start())
    world.mapped.clear()
    return world


def again() -> SyncJob:
    return work(start())


def rows() -> list[tuple[int, str]]:
    """Which version of each product's row there is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, xmin::text || ctid::text FROM products_product ORDER BY id")
        return list(cursor.fetchall())


def test_an_unchanged_walk_maps_nothing_and_writes_no_product(shop: World) -> None:
    before = rows()
    job = again()
    assert (job.unchanged, job.state, shop.mapped) == (12, "succeeded", [])
    assert rows() == before


def test_only_what_says_something_else_is_mapped(shop: World) -> None:
    shop.prices[OFFER] = "11.00"
    job = again()
    assert (job.updated, job.unchanged, shop.mapped) == (1, 11, [OFFER])


def test_a_product_that_says_again_what_it_said_before_is_written(shop: World) -> None:
    for price in ("11.00", "10.00", "11.00"):
        shop.prices[OFFER] = price
        assert again().updated == 1
    assert Product.objects.get(source_id=OFFER).price == 11
    shop.mapped.clear()
    assert (again().unchanged, shop.mapped) == (12, [])


def test_a_new_edition_maps_everything_once_and_writes_no_product(shop: World) -> None:
    before = rows()
    shop.edition = b"edition2"
    assert (again().unchanged, len(shop.mapped)) == (12, 12)
    shop.mapped.clear()
    assert (again().unchanged, shop.mapped) == (12, [])
    assert rows() == before


def test_a_mapping_without_an_edition_is_always_asked(shop: World) -> None:
    shop.edition = b""
    assert (again().unchanged, len(shop.mapped)) == (12, 12)


def test_what_was_written_here_meanwhile_is_compared_in_full(shop: World) -> None:
    Product.objects.filter(source_id=OFFER).update(fingerprint=b"", title="ours")
    job = again()
    assert (job.updated, job.unchanged, shop.mapped) == (1, 11, [OFFER])
    assert Product.objects.get(source_id=OFFER).title == f"商品 {OFFER}"


def test_a_product_that_comes_back_as_it_was_is_restored(shop: World) -> None:
    kept = shop.prices.pop(OFFER)
    again()
    assert Product.objects.get(source_id=OFFER).status == "delisted"
    shop.prices[OFFER] = kept
    assert again().updated == 1
    assert Product.objects.get(source_id=OFFER).status == "published"
    assert ProductChange.objects.filter(kind="restored").count() == 1


def test_a_rejected_record_is_mapped_and_rejected_every_time(shop: World) -> None:
    shop.prices[OFFER] = "broken"
    for _ in range(2):
        shop.mapped.clear()
        assert (again().rejected, shop.mapped) == (1, [OFFER])


def test_a_product_that_was_purged_is_created_anew(shop: World) -> None:
    Product.objects.filter(source_id=OFFER).delete()
    assert (again().created, shop.mapped) == (1, [OFFER])


def test_a_dry_run_recalls_and_learns_nothing(shop: World) -> None:
    shop.edition = b"edition2"
    before = list(RawAnswer.objects.order_by("pk").values_list("mapped", flat=True))
    assert work(start(dry_run=True)).unchanged == 12
    assert list(RawAnswer.objects.order_by("pk").values_list("mapped", flat=True)) == before


def test_without_a_raw_layer_everything_is_mapped(shop: World) -> None:
    Setting.objects.create(key="sync.raw_days", value=0)
    from system import runtime

    runtime.forget()
    assert (again().unchanged, len(shop.mapped)) == (12, 12)


def test_a_product_that_comes_twice_in_a_batch_is_mapped() -> None:
    normalized = Normalized()
    normalized.take(Page(records=(RawRecord(b"1", "a"), RawRecord(b"2", "a"), RawRecord(b"3", "b"), RawRecord(b"4"))))
    assert normalized.unmapped() == {"b": b"3"}


def test_an_edition_is_that_of_the_code_and_of_what_else_decides() -> None:
    assert edition() == edition()
    assert len({edition(), edition(b"a"), edition(b"b"), edition(b"a", b"b"), edition(b"ab")}) == 5
