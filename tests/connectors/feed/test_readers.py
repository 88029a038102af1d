"""Feeds are cut into records, broken ones by themselves, whatever their format."""

import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from syncjobs.connectors.feed import jsonarray
from syncjobs.connectors.feed.opening import opened
from syncjobs.connectors.feed.options import FeedOptions
from syncjobs.connectors.feed.readers import MAX_RECORD_BYTES, Piece, decode
from syncjobs.engine.errors import FatalSourceError


def pieces(path: Path, start: int = 0, end: int | None = None, **options: Any) -> list[Piece]:
    with opened(FeedOptions(path=str(path), mapping={}, **options)) as feed:
        return list(feed.reader.pieces(start, feed.identity.size if end is None else end))


def write(tmp_path: Path, content: bytes, name: str = "feed") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def records(path: Path, **options: Any) -> list[dict[str, Any]]:
    return [decode(piece.payload) for piece in pieces(path, **options) if not piece.reason]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.jsonl", b"{}", "ndjson"),
        ("a.tsv", b"a\tb", "csv"),
        ("a.json", b'\xef\xbb\xbf [{"a": 1}]', "json"),
        ("a.json", b'{"a": 1}\n{"a": 2}\n', "ndjson"),
        ("a.txt", b"id;title\n1;x\n", "csv"),
    ],
)
def test_the_format_is_found_out(tmp_path: Path, name: str, content: bytes, kind: str) -> None:
    with opened(FeedOptions(path=str(write(tmp_path, content, name)), mapping={})) as feed:
        assert feed.format == kind


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08\0", b"hello", b"\0\1\2"])
def test_an_unknown_format_is_refused_with_advice(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FatalSourceError) as error:
        pieces(write(tmp_path, content))
    assert error.value.code == "feed_format"
    assert error.value.suggestion


def test_ndjson_skips_blank_lines_and_reads_the_last_one_without_its_end(tmp_path: Path) -> None:
    path = write(tmp_path, b'\xef\xbb\xbf{"a": 1}\r\n\n  \n{"a": 2}', "a.ndjson")
    assert records(path) == [{"a": 1}, {"a": 2}]


def test_a_line_over_the_limit_is_one_broken_piece(tmp_path: Path) -> None:
    path = write(tmp_path, b'{"a": 1}\n"' + b"x" * (2 * MAX_RECORD_BYTES + 7) + b'"\n{"a": 2}\n', "a.ndjson")
    first, long, last = pieces(path)
    assert [first.reason, last.reason] == ["", ""]
    assert "bytes" in long.reason
    assert len(long.payload) < MAX_RECORD_BYTES
    assert last.start == long.end


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 1000])
def test_json_elements_are_cut_right_at_every_chunk_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(jsonarray, "CHUNK_BYTES", chunk)
    items = [{"a": 'x"]},\\'}, [1, [2, {}]], "]", 3, None, {"b": {"c": ["\\\\", "\\"]}}, {}]
    path = write(tmp_path, json.dumps({"x": {"items": [9]}, "items": items, "y": [[]]}, indent=1).encode(), "a.json")
    assert [json.loads(piece.payload) for piece in pieces(path, items="items")] == items


@pytest.mark.parametrize("name", ["a.ndjson", "a.json", "a.csv"])
def test_any_run_of_pieces_can_be_cut_again_by_its_range(tmp_path: Path, name: str) -> None:
    rows = [{"a": str(number), "b": 'q"\n,'} for number in range(9)]
    contents = {
        "a.ndjson": "\n".join(map(json.dumps, rows)),
        "a.json": json.dumps(rows),
        "a.csv": "a,b\n" + "".join(f'{row["a"]},"q""\n,"\n' for row in rows),
    }
    path = write(tmp_path, contents[name].encode(), name)
    whole = pieces(path)
    assert [decode(piece.payload) for piece in whole] == rows
    for first in range(9):
        for last in range(first, 9):
            assert pieces(path, whole[first].start, whole[last].end) == whole[first : last + 1]


def test_a_json_array_that_does_not_close_ends_with_a_broken_piece(tmp_path: Path) -> None:
    for content in (b'[{"a": 1}, {"a": 2', b'[{"a": 1},', b'[{"a": 1}', b""):
        assert pieces(write(tmp_path, content, "a.json"), format="json")[-1].reason
    assert pieces(write(tmp_path, b"[ ]", "a.json")) == []


def test_a_broken_json_element_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    path = write(tmp_path, b'[{"a": 1}, {"a": tru}, {"a": 3}]', "a.json")
    assert decode(pieces(path)[2].payload) == {"a": 3}


@pytest.mark.parametrize(
    ("content", "items"), [(b'{"a": {"b": 1}}', "a.b"), (b'{"a": [', "b"), (b"[1]", "a"), (b'{"a":\n 1}', "")]
)
def test_a_document_without_the_list_is_refused(tmp_path: Path, content: bytes, items: str) -> None:
    with pytest.raises(FatalSourceError) as error:
        pieces(write(tmp_path, content, "a.json"), items=items, format="json")
    assert error.value.code == "items_not_found"


def test_csv_reads_quotes_line_ends_and_short_rows(tmp_path: Path) -> None:
    content = '\ufeffid;title;price\r\n1;"a;""b""\r\nc";2\r\n\r\n;;\r\n2;x\r\n'.encode()
    assert records(write(tmp_path, content, "a.csv")) == [
        {"id": "1", "title": 'a;"b"\r\nc', "price": "2"},
        {"id": "2", "title": "x"},
    ]


def test_broken_csv_rows_are_broken_alone(tmp_path: Path) -> None:
    content = b'id,title\n1,a\n2,"open\n3,c\n4,d,e\n5,"x"y\n6,\xff\n7,"g\nh"\n'
    found = pieces(write(tmp_path, content, "a.csv"))
    assert [decode(piece.payload)["id"] for piece in found if not piece.reason] == ["1", "3", "7"]
    assert [piece.payload[:1] for piece in found if piece.reason] == [b"2", b"4", b"5", b"6"]


def test_a_csv_cut_off_inside_its_last_row_says_so(tmp_path: Path) -> None:
    assert pieces(write(tmp_path, b"id,title\n1,a\n2", "a.csv"))[-1].reason
    assert not pieces(write(tmp_path, b"id,title\n1,a\n2,b", "a.csv"))[-1].reason


@pytest.mark.parametrize("header", [b"id,id\n", b"id,\xff\n", b'"id\n'])
def test_a_bad_csv_header_is_refused(tmp_path: Path, header: bytes) -> None:
    with pytest.raises(FatalSourceError) as error:
        pieces(write(tmp_path, header + b"1,2\n", "a.csv"))
    assert error.value.code == "feed_header"


def test_a_folder_a_pipe_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    expected = {tmp_path: "feed_not_a_file", tmp_path / "pipe": "feed_not_a_file", tmp_path / "no": "feed_missing"}
    for path, code in expected.items():
        with pytest.raises(FatalSourceError) as error:
            pieces(path)
        assert error.value.code == code


@pytest.mark.parametrize("name", ["a.ndjson", "a.json", "a.csv"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, name: str) -> None:
    def peak(count: int) -> int:
        row = {"a": "x" * 900}
        contents = {
            "a.ndjson": (json.dumps(row) + "\n") * count,
            "a.json": f"[{','.join([json.dumps(row)] * count)}]",
            "a.csv": "a\n" + f'"{row["a"]}"\n' * count,
        }
        options = FeedOptions(path=str(write(tmp_path, contents.pop(name).encode(), name)), mapping={})
        contents.clear()
        with opened(options) as feed:
            tracemalloc.start()
            found = sum(1 for _ in feed.reader.pieces(0, feed.identity.size))
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert found == count
        return most

    assert peak(20_000) < peak(2_000) + 512 * 1024


@pytest.mark.parametrize(
    "payload", [b'{"a": NaN}', b'{"a": 1e}', b'{"a": "\xff"}', b"[1]", b"[" * 10**6, b'{"a": "\\ud800}', b""]
)
def test_what_is_no_json_object_cannot_be_decoded(payload: bytes) -> None:
    with pytest.raises(ValueError, match="JSON"):
        decode(payload)


def test_numbers_keep_their_digits_and_half_surrogates_can_be_read() -> None:
    record = decode(b'{"a": 39.80, "b": 1e400, "c": 610000000001}')
    assert [str(value) for value in record.values()] == ["39.80", "1E+400", "610000000001"]
    assert decode(b'{"a": "x\\ud800"}') == {"a": "x\ud800"}
