"""The raw layer: what sources answered, kept in the transaction of the batch that asked.

An answer is found again by the digest of its bytes, compared in one query a batch. An unchanged one is written to once
a day at most; only new ones are compressed. Which of a product's answers is its last one is decided by `seen_at`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import groupby

import msgspec
from django.db import IntegrityError, transaction
from django.utils import timezone

from system import packing, runtime, sql

# A longer answer is no product's.
DIGEST_BYTES = 16
LARGEST = 4 * 1024 * 1024
# How late `seen_at` may be of an answer that stays the same.
FRESH = timedelta(days=1)
TICK = timedelta(microseconds=1)
ROWS_AT_ONCE = 2_000

# The last kept answer of each product, against what it says now.
_DIFFERENT = """
SELECT i.source_id, kept.digest IS NULL FROM unnest(%(ids)s::text[], %(digests)s::bytea[]) AS i (source_id, digest)
LEFT JOIN LATERAL (
    SELECT r.digest, r.seen_at FROM syncjobs_rawanswer r
    WHERE r.source = %(source)s::text AND r.source_id = i.source_id ORDER BY r.seen_at DESC, r.id DESC LIMIT 1
) AS kept ON true
WHERE kept.digest IS DISTINCT FROM i.digest OR kept.seen_at <= %(stale)s::timestamptz
"""
_KEPT = """
SELECT id, source, source_id, digest, seen_at FROM syncjobs_rawanswer
WHERE source = %s::text AND source_id = ANY(%s::text[]) ORDER BY source_id, seen_at DESC, id DESC
"""
# Rows that were tidied away meanwhile do not come back.
_SEEN = """
UPDATE syncjobs_rawanswer r SET seen_at = greatest(r.seen_at, i.seen_at)
FROM unnest(%s::bigint[], %s::timestamptz[]) AS i (id, seen_at) WHERE r.id = i.id RETURNING r.source_id
"""
_COLUMNS = {
    "source": "varchar",
    "source_id": "varchar",
    "digest": "bytea",
    "size": "int4",
    "payload": "bytea",
    "mapped": "bytea",
    "job_id": "int8",
    "first_at": "timestamptz",
    "seen_at": "timestamptz",
}
_INSERT = f"""
INSERT INTO syncjobs_rawanswer ({", ".join(_COLUMNS)})
SELECT * FROM unnest({", ".join(f"%({name})s::{type_}[]" for name, type_ in _COLUMNS.items())})
ON CONFLICT (source, source_id, digest) DO UPDATE SET mapped = coalesce(excluded.mapped, syncjobs_rawanswer.mapped),
    seen_at = greatest(excluded.seen_at, syncjobs_rawanswer.seen_at)
"""  # noqa: S608 - the names are constants
# One that was seen again since it was found to be old is not old any more.
_DROP = """
DELETE FROM syncjobs_rawanswer r USING unnest(%s::bigint[], %s::timestamptz[]) AS old (id, seen_at)
WHERE r.id = old.id AND r.seen_at = old.seen_at
"""
_PART = """
SELECT id, source, source_id, digest, seen_at FROM syncjobs_rawanswer
WHERE (source, source_id) > (%s::text, %s::text) ORDER BY source, source_id LIMIT %s::int
"""
_USED = """
UPDATE syncjobs_rawanswer SET applied_at = %s::timestamptz
WHERE source = %s::text AND source_id = %s::text AND digest = %s::bytea
"""
_APPLIED = """
UPDATE syncjobs_rawanswer SET applied_at = %s::timestamptz WHERE id = ANY(%s::bigint[])
"""


class Kept(msgspec.Struct, frozen=True):
    """One kept answer, without its payload."""

    id: int
    source: str
    source_id: str
    digest: bytes
    seen_at: datetime


def days() -> int:
    """How long answers are kept; 0 = not at all."""
    return runtime.integer("sync.raw_days")


def digest_of(payload: bytes) -> bytes:
    """What tells one answer from another."""
    return sha256(payload).digest()[:DIGEST_BYTES]


def unpacked(payload: bytes | memoryview) -> bytes:
    """The source's bytes from a row's payload."""
    return packing.unpacked(payload)


def digests_of(answers: Mapping[str, bytes]) -> dict[str, bytes]:
    """The digests of the answers that may be kept, by product."""
    return {key: digest_of(payload) for key, payload in answers.items() if len(payload) <= LARGEST}


def keep(
    source: str,
    job_id: int,
    answers: Mapping[str, bytes],
    written: Collection[str] = (),
    marks: Mapping[str, bytes] | None = None,
    digests: Mapping[str, bytes] | None = None,
) -> None:
    """Keep what a source said just now. Joins the caller's transaction.

    Args:
        answers: the source's own bytes by product.
        written: products that were stored from these answers, which are therefore their last ones.
        marks: what they were mapped to, see `RawAnswer.mapped`.
        digests: those of the answers that were worked out already.
    """
    known_digests, marks = digests or {}, marks or {}
    digests = digests_of({key: payload for key, payload in answers.items() if key not in known_digests})
    digests |= {key: known_digests[key] for key in answers.keys() & known_digests.keys()}
    now = timezone.now()
    due, unknown = _due(source, digests, now - FRESH)
    known = _versions(source, sorted((due | digests.keys() & written) - unknown))
    # Later than what was kept before, whatever another machine's clock said.
    moments = {key: max(now, *(kept.seen_at + TICK for kept in rows)) if rows else now for key, rows in known.items()}
    again = {kept.id: moments[key] for key, rows in known.items() for kept in rows if kept.digest == digests[key]}
    new = sorted((known.keys() | unknown) - _see(again))
    if new:
        _insert((source, key, digests[key], answers[key], marks.get(key), job_id, moments.get(key, now)) for key in new)
        _drop_superfluous(known[key] for key in new if key in known)


def _see(moments: Mapping[int, datetime]) -> set[str]:
    """Say that these rows are last answers; returns their products, without those whose row is gone."""
    if not moments:
        return set()
    return {row[0] for row in sql.fetch_all(_SEEN, [list(moments), list(moments.values())])}


def _due(source: str, digests: Mapping[str, bytes], stale: datetime) -> tuple[set[str], set[str]]:
    """Products whose last answer is another one or was seen too long ago, and those of them nothing is kept of."""
    if not digests:
        return set(), set()
    values = {"source": source, "ids": sql.array(digests), "digests": sql.array(digests.values()), "stale": stale}
    rows = sql.fetch_all(_DIFFERENT, values)
    return {row[0] for row in rows}, {row[0] for row in rows if row[1]}


def _insert(answers: Iterable[tuple[str, str, bytes, bytes, bytes | None, int, datetime]]) -> None:
    """By COPY, which is five times as fast; it cannot pass over a row that another batch has written meanwhile."""
    packer = packing.packer()
    rows = [
        (source, key, digest, len(payload), packer.compress(payload), mark, job_id, now, now)
        for source, key, digest, payload, mark, job_id, now in answers
    ]
    try:
        with transaction.atomic():
            sql.copy_rows("syncjobs_rawanswer", _COLUMNS, rows)
    except IntegrityError:
        values = {name: list(column) for name, column in zip(_COLUMNS, zip(*rows, strict=True), strict=True)}
        sql.execute(_INSERT, values)


def _versions(source: str, source_ids: Sequence[str]) -> dict[str, list[Kept]]:
    """What is kept of each product, the last answer first."""
    found: dict[str, list[Kept]] = {key: [] for key in source_ids}
    if not found:
        return found
    for row in sql.fetch_all(_KEPT, [source, sql.array(source_ids)]):
        found[row[2]].append(Kept(*row))
    return found


def _drop_superfluous(products: Iterable[Sequence[Kept]]) -> None:
    """Make room for one more version of each of these products."""
    room = runtime.integer("sync.raw_versions") - 1
    _drop([kept for versions in products for kept in versions[room:]])


def _drop(old: Iterable[Kept]) -> int:
    rows = sorted((kept.id, kept.seen_at) for kept in old)
    return sql.execute(_DROP, [[row[0] for row in rows], [row[1] for row in rows]]) if rows else 0


def mark_applied(ids: Sequence[int]) -> None:
    """The catalogue was written from these kept answers just now, though the source was not asked."""
    sql.execute(_APPLIED, [timezone.now(), list(ids)])


def mark_used(source: str, source_id: str, payload: bytes) -> None:
    """The same for an answer that was kept elsewhere, too."""
    sql.execute(_USED, [timezone.now(), source, source_id, digest_of(payload)])


def tidy() -> int:
    """Delete answers that are too old or too many of a product, a few products at a time; returns how many.

    `seen_at` may be a day late, so everything is kept a day longer than was asked for.
    """
    kept_days = days()
    oldest = timezone.now() - (timedelta(days=kept_days) + FRESH if kept_days else timedelta())
    removed, place = 0, ("", "")
    while rows := _part(place):
        last = rows[-1]
        place = (last.source, last.source_id)
        removed += _drop(_old(rows, oldest))
    return removed


def _part(after: tuple[str, str]) -> list[Kept]:
    """Some rows, all of each product."""
    rows = [Kept(*row) for row in sql.fetch_all(_PART, [*after, ROWS_AT_ONCE])]
    if len(rows) < ROWS_AT_ONCE:
        return rows
    last = rows[-1].source_id
    whole = [row for row in rows if row.source_id != last]
    return whole or rows


def _old(rows: Iterable[Kept], oldest: datetime) -> list[Kept]:
    versions = runtime.integer("sync.raw_versions")
    old: list[Kept] = []
    for _product, kept in groupby(rows, key=lambda row: (row.source, row.source_id)):
        newest_first = sorted(kept, key=lambda row: (row.seen_at, row.id), reverse=True)
        old += [row for number, row in enumerate(newest_first) if number >= versions or row.seen_at < oldest]
    return old
