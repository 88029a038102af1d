"""The made-up catalogue."""

from pathlib import Path

from benchmarks.ingest.feed import CHANGED_EVERY, feed_options, write_feed
from benchmarks.world import products as made_up
from products.records import ProductRecord
from syncjobs.engine.contracts import Scope
from tests.connectors.cases import feed_from

SIZE = 40


def read(path: Path) -> list[ProductRecord]:
    """The records that a feed source makes of a file."""
    connector = feed_from(feed_options(path))
    plan = connector.plan(Scope(type="full"))
    return [connector.normalize(raw) for spec in plan.batches for page in connector.fetch(spec) for raw in page.records]


def test_a_number_is_the_same_product_every_time() -> None:
    assert made_up.product(7, SIZE) == made_up.product(7, SIZE)
    assert made_up.product(7, SIZE) != made_up.product(8, SIZE)


def test_every_leaf_has_a_number_of_its_own() -> None:
    numbers = [record.id for record in made_up.tree()]
    assert len(numbers) == len(set(numbers))
    assert {leaf.id for leaf in made_up.leaves()} <= set(numbers)


def test_a_feed_is_read_as_the_products_that_a_load_writes(tmp_path: Path) -> None:
    write_feed(tmp_path / "feed.ndjson", SIZE)
    assert read(tmp_path / "feed.ndjson") == [made_up.product(number, SIZE) for number in range(SIZE)]


def test_one_product_in_twenty_is_of_another_edition(tmp_path: Path) -> None:
    write_feed(tmp_path / "feed.ndjson", SIZE)
    before = read(tmp_path / "feed.ndjson")
    write_feed(tmp_path / "feed.ndjson", SIZE, edition=60)
    pairs = zip(before, read(tmp_path / "feed.ndjson"), strict=True)
    assert sum(one != other for one, other in pairs) == SIZE / CHANGED_EVERY
