"""A feed says the same in whichever encoding it is, and a byte that is no text spoils one record."""

import csv
import io
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from syncjobs.connectors.feed import encodings, opening
from syncjobs.connectors.feed.snapshots import remove_unused
from syncjobs.engine.contracts import Connector, Page, Scope
from syncjobs.engine.errors import FatalSourceError, RetryableSourceError
from tests.connectors.cases import feed_connector, feed_from, record

ROOT = Path(__file__).parents[3]
REAL = Path(__file__).parent / "data/offers.ndjson"
FULL = Scope(type="full", batch_size=7)
# "亐" is 0x81 0x5C in GBK and "乗" ends in 0x7B, "俓" in 0x7D; the last has four bytes, two of them digits.
TRICKY = '亐 乗 俓 "引" \\ 丂 \U00020087 ä'
ENCODINGS = ["utf-8-sig", "gb18030", "utf-16-le", "utf-16-be"]
MARKS = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}


def encoded(text: str, encoding: str) -> bytes:
    return MARKS.get(encoding, b"") + text.encode(encoding)


def walk(connector: Connector) -> list[Page]:
    return [page for spec in connector.plan(FULL).batches for page in connector.fetch(spec)]


def payloads(connector: Connector) -> list[bytes]:
    return [raw.payload for page in walk(connector) for raw in page.records]


def rejected(connector: Connector) -> list[bytes]:
    return [payload for page in walk(connector) for payload, _ in page.rejected]


def write(tmp_path: Path, content: bytes, name: str) -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def records() -> list[dict[str, Any]]:
    return [record(number) | {"title": f"{TRICKY} {number}"} for number in range(30)]


def as_text(kind: str) -> str:
    if kind == "ndjson":
        return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in records())
    if kind == "json":
        return json.dumps(records(), ensure_ascii=False, indent=1)
    target = io.StringIO()
    writer = csv.DictWriter(target, list(record(0)))
    writer.writeheader()
    writer.writerows(records())
    return target.getvalue()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kind", ["ndjson", "json", "csv"])
def test_every_format_reads_the_same_in_every_encoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, encoding: str
) -> None:
    monkeypatch.setattr(encodings, "CHUNK_BYTES", 101)
    plain = payloads(feed_connector(write(tmp_path, as_text(kind).encode(), f"a.{kind}")))
    found = feed_connector(write(tmp_path, encoded(as_text(kind), encoding), f"b.{kind}"))
    assert payloads(found) == plain
    assert len(plain) == 30
    assert found.check().ok


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_real_offers_become_the_same_products_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    example = json.loads((ROOT / "docs/examples/feed-real-offers.json").read_text(encoding="utf-8"))
    path = write(tmp_path, encoded(REAL.read_text(encoding="utf-8"), encoding), "offers.ndjson")

    def products(where: Path) -> list[Any]:
        connector = feed_from(example | {"path": str(where)}, cache_folder=str(tmp_path / "snapshots"))
        return [connector.normalize(raw) for page in walk(connector) for raw in page.records]

    assert products(path) == products(REAL)


@pytest.mark.parametrize(
    ("encoding", "broken"),
    [("utf-8", b"\xff"), ("gb18030", b"\xff"), ("utf-16-le", b"\x3d\xd8"), ("utf-16-be", b"\xdc\x00")],
)
@pytest.mark.parametrize("kind", ["ndjson", "json", "csv"])
def test_a_broken_byte_spoils_its_record_which_is_kept_as_it_was(
    tmp_path: Path, kind: str, encoding: str, broken: bytes
) -> None:
    plain = payloads(feed_connector(write(tmp_path, as_text(kind).encode(), f"a.{kind}")))
    before, after = as_text(kind).split(f"{TRICKY.split()[0]} ", 16)[15:]
    content = encoded(as_text(kind), encoding)
    place = content.index(before.encode(encoding)) + len(before[:-3].encode(encoding))
    content = content[:place] + broken + content[place:]
    connector = feed_connector(write(tmp_path, content, f"b.{kind}"))
    found = payloads(connector)
    (raw,) = rejected(connector)
    assert len(found) == 29
    assert set(found) < set(plain)
    assert broken in raw
    assert raw in content
    assert after


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_character_cut_off_at_the_end_spoils_the_last_record(tmp_path: Path, cut: int) -> None:
    content = (as_text("ndjson") + '{"id": "7", "title": "\U00020087').encode("gb18030")[:-cut]
    connector = feed_connector(write(tmp_path, content, "a.ndjson"))
    assert len(payloads(connector)) == 30
    assert len(rejected(connector)) == 1


def test_a_marked_byte_is_not_read_as_half_a_pair(tmp_path: Path) -> None:
    line = '{"id": "1", "title": "牛仔裤 \\ud800 '.encode("gb18030") + b'\xff"}\n'
    connector = feed_connector(write(tmp_path, as_text("ndjson").encode("gb18030") + line, "a.ndjson"))
    assert rejected(connector) == [line.strip()]


@pytest.mark.parametrize("name", ["GBK", "gb2312", "GB18030"])
def test_a_declared_encoding_is_taken(tmp_path: Path, name: str) -> None:
    # One Chinese character that also is valid UTF-8.
    path = write(tmp_path, '{"id": "1", "title": "牛"}'.encode("gbk"), "a.ndjson")
    assert json.loads(payloads(feed_connector(path, encoding=name))[0])["title"] == "牛"


def test_utf_16_without_a_mark_must_be_declared(tmp_path: Path) -> None:
    path = write(tmp_path, as_text("ndjson").encode("utf-16-le"), "a.ndjson")
    with pytest.raises(FatalSourceError) as error:
        payloads(feed_connector(path))
    assert error.value.code == "feed_encoding"
    assert len(payloads(feed_connector(path, encoding="utf-16le"))) == 30


def test_an_encoding_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FatalSourceError) as error:
        payloads(feed_connector(write(tmp_path, b"{}", "a.ndjson"), encoding="big5"))
    assert error.value.code == "invalid_options"


def test_utf_8_is_read_in_place(tmp_path: Path) -> None:
    payloads(feed_connector(write(tmp_path, encoded(as_text("csv"), "utf-8-sig"), "a.csv")))
    assert not (tmp_path / "snapshots").exists()


def test_a_worker_without_the_snapshot_makes_it_again(tmp_path: Path) -> None:
    connector = feed_connector(write(tmp_path, as_text("ndjson").encode("gbk", "replace"), "a.ndjson"))
    specs = list(connector.plan(FULL).batches)
    first = [list(connector.fetch(spec)) for spec in specs]
    assert remove_unused(tmp_path / "snapshots", -1)
    assert [list(connector.fetch(spec)) for spec in specs] == first


def test_a_job_keeps_to_its_snapshot_and_never_mixes_it_with_another_file(tmp_path: Path) -> None:
    path = write(tmp_path, as_text("ndjson").encode("gb18030"), "a.ndjson")
    connector = feed_connector(path)
    specs = list(connector.plan(FULL).batches)
    first = [list(connector.fetch(spec)) for spec in specs]
    path.write_bytes((as_text("ndjson") + "\n").encode("gb18030"))
    assert [list(connector.fetch(spec)) for spec in specs] == first
    remove_unused(tmp_path / "snapshots", -1)
    with pytest.raises(FatalSourceError) as error:
        list(connector.fetch(specs[1]))
    assert error.value.code == "feed_changed"


def test_a_snapshot_is_kept_while_it_is_used(tmp_path: Path) -> None:
    connector = feed_connector(write(tmp_path, as_text("ndjson").encode("gb18030"), "a.ndjson"))
    specs = list(connector.plan(FULL).batches)
    (snapshot,) = (tmp_path / "snapshots").iterdir()
    os.utime(snapshot, (time.time() - 5000, time.time() - 5000))
    list(connector.fetch(specs[0]))
    assert not remove_unused(tmp_path / "snapshots", 3600)
    os.utime(snapshot, (time.time() - 5000, time.time() - 5000))
    assert remove_unused(tmp_path / "snapshots", 3600) == 1
    assert remove_unused(tmp_path / "nowhere", 3600) == 0


def test_without_a_folder_such_a_feed_is_refused_and_a_hasty_caller_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, as_text("ndjson").encode("gb18030"), "a.ndjson")
    options = {"path": str(path), "mapping": {"id": "id", "title": "title"}}
    with pytest.raises(FatalSourceError) as error:
        feed_from(options, cache_folder="").plan(FULL)
    assert error.value.code == "feed_cache"
    with pytest.raises(RetryableSourceError) as hasty:
        feed_from(options, patience=-1.0).plan(FULL)
    assert hasty.value.code == "uncounted"


def test_a_check_says_the_encoding_and_reads_only_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "SAMPLE_BYTES", 1500)
    monkeypatch.setattr(encodings, "CHUNK_BYTES", 100)
    report = feed_connector(write(tmp_path, as_text("json").encode("gb18030"), "a.json")).check()
    assert report.ok
    assert "gb18030 (found out)" in report.checks[2].message
    assert not (tmp_path / "snapshots").exists()
