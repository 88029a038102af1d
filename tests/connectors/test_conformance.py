"""What every connector must do, whatever its source."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest

from products.records import ProductRecord
from syncjobs.engine.contracts import BatchSpec, Connector, Page, Scope
from syncjobs.engine.errors import EngineError, RecordRejected
from tests.connectors.cases import CASES, Case, Source, stop_simulator

SIZE = 200
BATCH_SIZES = [1, 7, 100, 1000]  # 100 divides SIZE
MOST_PAGES = 50 * SIZE  # far beyond what any walk of SIZE products needs
FAULTS = [pytest.param(case, fault, id=f"{case.name}-{name}") for case in CASES for name, fault in case.faults.items()]

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@pytest.fixture(scope="module", autouse=True)
def simulator_stops() -> Iterator[None]:
    """With the last test here."""
    yield
    stop_simulator()


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before calls that are tried again."""
    monkeypatch.setattr("syncjobs.connectors.alibaba1688.client.QUICK_RETRY_SECONDS", (0, 0))


@pytest.fixture
def source(case: Case, tmp_path: Path) -> Iterator[Source]:
    with case.opened(tmp_path, SIZE) as opened:
        yield opened


def specs_of(connector: Connector, scope: Scope) -> list[BatchSpec]:
    specs = list(islice(connector.plan(scope).batches, MOST_PAGES))
    assert len(specs) < MOST_PAGES, "the plan does not end"
    return specs


def pages_of(connector: Connector, spec: BatchSpec) -> list[Page]:
    pages = list(islice(connector.fetch(spec), MOST_PAGES))
    assert len(pages) < MOST_PAGES, "the batch does not end"
    return pages


def walk(connector: Connector, scope: Scope) -> list[Page]:
    return [page for spec in specs_of(connector, scope) for page in pages_of(connector, spec)]


def ids_of(pages: list[Page]) -> Counter[str | None]:
    return Counter(raw.source_id for page in pages for raw in page.records)


def through_json(spec: BatchSpec) -> BatchSpec:
    return msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(spec)), type=BatchSpec)


@every_case
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_a_full_walk_meets_every_product_once(source: Source, batch_size: int) -> None:
    pages = walk(source.connector, Scope(type="full", batch_size=batch_size))
    assert ids_of(pages) == Counter(source.ids)
    assert not any(page.rejected for page in pages)


@every_case
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_batches_are_about_as_large_as_asked(source: Source, batch_size: int) -> None:
    specs = specs_of(source.connector, Scope(type="full", batch_size=batch_size))
    assert len(specs) >= len(source.ids) / max(batch_size, 50)
    assert all(sum(ids_of(pages_of(source.connector, spec)).values()) <= max(batch_size, 20) for spec in specs[:20])


@every_case
def test_a_provable_plan_repeats_its_total_on_every_page(source: Source) -> None:
    plan = source.connector.plan(Scope(type="full"))
    totals = {page.total for spec in plan.batches for page in pages_of(source.connector, spec)}
    assert not plan.provable or totals == {len(source.ids)}
    assert plan.total in {None, len(source.ids)}


@every_case
def test_an_empty_source_ends_without_records(case: Case, tmp_path: Path) -> None:
    with case.opened(tmp_path, 0) as source:
        pages = walk(source.connector, Scope(type="full"))
        assert not ids_of(pages)
        assert {page.total for page in pages} <= {0, None}


@every_case
def test_the_same_batch_fetched_again_has_the_same_bytes(source: Source) -> None:
    for spec in specs_of(source.connector, Scope(type="full", batch_size=30)):
        first, again = (
            [raw for page in pages_of(source.connector, each) for raw in page.records]
            for each in (spec, through_json(spec))
        )
        assert first == again


@every_case
def test_a_batch_left_half_way_can_be_fetched_again(source: Source) -> None:
    (spec, *_) = specs_of(source.connector, Scope(type="full"))
    whole = pages_of(source.connector, spec)
    pages = source.connector.fetch(spec)
    assert next(iter(pages)).records == whole[0].records
    del pages
    assert ids_of(pages_of(source.connector, spec)) == ids_of(whole)


@every_case
def test_ids_and_fingerprints_are_the_same_on_every_walk(source: Source) -> None:
    def fingerprints() -> dict[str | None, bytes]:
        pages = walk(source.connector, Scope(type="full", batch_size=50))
        return {raw.source_id: source.connector.normalize(raw).fingerprint() for page in pages for raw in page.records}

    assert fingerprints() == fingerprints()


@every_case
def test_every_record_becomes_a_product_with_the_id_it_was_listed_under(source: Source) -> None:
    for page in walk(source.connector, Scope(type="full")):
        for raw in page.records:
            product = source.connector.normalize(raw)
            assert isinstance(product, ProductRecord)
            assert product.source_id == raw.source_id


@every_case
@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe", b"[" * 100_000])
def test_bytes_that_are_no_product_are_rejected(source: Source, payload: bytes) -> None:
    page = next(page for page in walk(source.connector, Scope(type="full")) if page.records)
    with pytest.raises(RecordRejected) as rejection:
        source.connector.normalize(msgspec.structs.replace(page.records[0], payload=payload))
    assert rejection.value.message
    assert rejection.value.code


@every_case
def test_a_walk_over_some_products_brings_only_these(source: Source) -> None:
    wanted = sorted(source.ids)[::40]
    pages = walk(source.connector, Scope(type="full", offer_ids=tuple(wanted), batch_size=2))
    assert ids_of(pages) == Counter(wanted)


@every_case
def test_a_product_that_does_not_exist_is_not_an_error(source: Source) -> None:
    assert not ids_of(walk(source.connector, Scope(type="full", offer_ids=("999999999999999999",))))


@every_case
def test_a_category_that_does_not_exist_is_empty(source: Source) -> None:
    assert not ids_of(walk(source.connector, Scope(type="full", category_id=99)))


@every_case
def test_an_incremental_plan_has_a_watermark_to_go_on_from_or_reads_everything(source: Source) -> None:
    first = source.connector.plan(Scope(type="full")).watermark
    if first is None:
        assert ids_of(walk(source.connector, Scope(type="incremental"))) == Counter(source.ids)
        return
    assert first.utcoffset() is not None
    second = source.connector.plan(Scope(type="incremental", since=first)).watermark
    assert second
    assert second >= first


@every_case
def test_categories_come_parents_first(source: Source) -> None:
    seen: set[int] = set()
    for category in islice(source.connector.categories(), 10_000):
        assert category.parent_id is None or category.parent_id in seen
        seen.add(category.id)


@every_case
def test_a_check_of_a_good_source_is_good(source: Source) -> None:
    report = source.connector.check()
    assert report.ok
    assert report.checks
    assert all(check.ok for check in report.checks)


@every_case
def test_a_connector_can_be_closed_twice(source: Source) -> None:
    source.connector.close()
    source.connector.close()


@pytest.mark.parametrize(("case", "fault"), FAULTS)
def test_a_source_that_misbehaves_raises_only_engine_errors(source: Source, fault: Callable[[Any], None]) -> None:
    specs = specs_of(source.connector, Scope(type="full"))
    fault(source.handle)
    for spec in specs:
        with suppress(EngineError):
            pages_of(source.connector, spec)
    with suppress(EngineError):
        for page in walk(source.connector, Scope(type="full")):
            for raw in page.records:
                with suppress(RecordRejected):
                    source.connector.normalize(raw)


@pytest.mark.parametrize(("case", "fault"), FAULTS)
def test_a_check_never_raises_and_says_what_to_do(source: Source, fault: Callable[[Any], None]) -> None:
    fault(source.handle)
    report = source.connector.check()
    assert report.ok == all(check.ok for check in report.checks)
    for check in report.checks:
        assert check.ok or (check.message and check.action)


@pytest.mark.parametrize(("case", "fault"), FAULTS)
def test_a_source_that_misbehaves_never_proves_products_gone(source: Source, fault: Callable[[Any], None]) -> None:
    fault(source.handle)
    with suppress(EngineError):
        plan = source.connector.plan(Scope(type="full"))
        pages = [page for spec in plan.batches for page in pages_of(source.connector, spec)]
        seen = set(ids_of(pages)) - {None}
        proven = plan.provable and all(page.total == len(seen) for page in pages)
        assert not proven or not seen or seen == source.ids
