"""Whole syncs of feeds that are not read where they lie."""

from pathlib import Path

import pytest
from pytest_django import Settings

from products.models import Product
from syncjobs.models import RejectedRecord, Source
from syncjobs.services.tidying import tidy
from tests.connectors.cases import MAPPING, record, serving_files, write_ndjson
from tests.syncjobs.conftest import start, work


@pytest.fixture(autouse=True)
def _folder(settings: Settings, tmp_path: Path) -> None:
    settings.FEED_CACHE_FOLDER = tmp_path / "kept"
    settings.SYNC_OVERLAP_SECONDS = 0


def test_an_unchanged_feed_from_an_address_costs_an_incremental_sync_nothing(
    db: None, redis_url: str, settings: Settings, tmp_path: Path
) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = ("127.0.0.1",)
    write_ndjson(tmp_path / "a.ndjson", [record(number) for number in range(25)])
    with serving_files(tmp_path) as url:
        options = {"url": f"{url}/a.ndjson", "mapping": MAPPING}
        Source.objects.create(name="feed", kind="feed", options=options, is_default=True)
        first = work(start())
        assert (first.state, first.created) == ("succeeded", 25)
        # The walk that was the first to see the feed began before it came, so one more reads it.
        assert work(start(type="incremental")).state == "succeeded"
        known = work(start(type="incremental"))
        assert (known.state, known.total, known.updated) == ("succeeded", 0, 0)
        write_ndjson(tmp_path / "a.ndjson", [record(number) | {"updated": None} for number in range(26)])
        assert work(start(type="incremental")).created == 1
        assert work(start()).state == "succeeded"
    assert Product.objects.count() == 26


def test_a_broken_byte_of_a_gbk_feed_is_a_reject_with_its_own_bytes(
    db: None, redis_url: str, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "a.ndjson"
    write_ndjson(path, [record(number) for number in range(25)])
    lines = path.read_text(encoding="utf-8").encode("gbk").splitlines(keepends=True)
    lines[12] = lines[12].replace("商品".encode("gbk"), b"\xff")
    path.write_bytes(b"".join(lines))
    options = {"path": str(path), "mapping": MAPPING}
    Source.objects.create(name="feed", kind="feed", options=options, is_default=True)
    job = work(start())
    assert (job.created, job.rejected) == (24, 1)
    assert bytes(RejectedRecord.objects.get().payload) == lines[12].strip()
    settings.FEED_CACHE_HOURS = -1
    assert tidy() >= 1
    assert not list((tmp_path / "kept").glob("*.feed"))
