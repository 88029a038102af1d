"""Cut a feed into batches: which records a scope takes, where each batch lies, and how many ids there are."""

import time
from array import array
from collections.abc import Callable, Iterator
from datetime import datetime
from math import inf
from tempfile import SpooledTemporaryFile
from typing import Any, Self

import msgspec

from syncjobs.connectors.feed.files import Feed, Identity
from syncjobs.connectors.feed.mapping import Mapping
from syncjobs.connectors.feed.readers import Piece
from syncjobs.engine.contracts import BatchSpec, Scope
from syncjobs.engine.errors import FatalSourceError, RecordRejected, RetryableSourceError

BUCKETS = 64
# A worker holds two batches at a time, with all their records.
BATCH_BYTES = 16 * 1024 * 1024
SPOOL_BYTES = 64 * 1024
# How many records lie between two looks at the clock.
LOOK_RECORDS = 500


class BatchParams(msgspec.Struct, frozen=True, kw_only=True):
    """A batch as it travels in `BatchSpec.params`: `count` selected records in the bytes [start, end) of one file.

    `total` is the plan's. `offer_ids` are those of the scope that lie in this batch.
    """

    identity: Identity
    start: int
    end: int
    count: int
    total: int
    category_id: int | None = None
    offer_ids: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


class Found(msgspec.Struct, frozen=True):
    """One piece of the feed: its id, "" when it does not say, and why it is no record, "" when it is one."""

    piece: Piece
    source_id: str = ""
    reason: str = ""


class Selection:
    """The records of a feed that a scope takes. The same scope takes the same ones in the plan and in the batches."""

    def __init__(
        self,
        mapping: Mapping,
        category_id: int | None = None,
        offer_ids: tuple[str, ...] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> None:
        """Take the limits of a scope.

        Raises:
            FatalSourceError: `scope_unsupported`, a category is asked for and the feed has no category numbers, or a
                window of time and it has no times.
        """
        if until is not None and not mapping.knows_updates:
            raise FatalSourceError(
                "the feed does not say when its products changed, so a window of time cannot be selected",
                code="scope_unsupported",
                suggestion="sync the whole feed, or map updated_at",
            )
        if category_id is not None and not mapping.knows_category_ids:
            raise FatalSourceError(
                "the feed does not say the platform's category numbers, so one category cannot be selected",
                code="scope_unsupported",
                suggestion="sync the whole feed, or map category.id",
            )
        self._mapping = mapping
        self._category_id = category_id
        self._offer_ids = frozenset(offer_ids)
        self._since = since if mapping.knows_updates else None
        self._until = until

    def found(self, feed: Feed, start: int, end: int, tick: Callable[[], None] = lambda: None) -> Iterator[Found]:
        """The pieces of the byte range that are selected, broken ones included where the scope could hold them.

        Args:
            tick: called for every piece, also those that are passed over.
        """
        for piece in feed.reader.pieces(start, end):
            tick()
            found, record = self._read(piece)
            if self._takes(found, record):
                yield found

    def _read(self, piece: Piece) -> tuple[Found, dict[str, Any]]:
        if piece.reason:
            return Found(piece, reason=piece.reason), {}
        try:
            record = self._mapping.decode_key(piece.payload)
        except ValueError as error:
            return Found(piece, reason=str(error)), {}
        try:
            return Found(piece, self._mapping.source_id(record)), record
        except RecordRejected:
            return Found(piece), record

    def _takes(self, found: Found, record: dict[str, Any]) -> bool:
        if self._offer_ids and found.source_id not in self._offer_ids:
            return False
        try:
            if self._category_id is not None and self._mapping.category_id(record) != self._category_id:
                return False
            updated_at = self._mapping.updated_at(record) if self._since or self._until else None
        except RecordRejected:
            # It is taken, so that its rejection is seen.
            return True
        return updated_at is None or self._covers(updated_at)

    def _covers(self, moment: datetime) -> bool:
        return (not self._since or moment >= self._since) and (not self._until or moment < self._until)


class Cut:
    """One walk over a feed: the borders of its batches, kept as plain numbers, and its totals."""

    def __init__(self, feed: Feed, selection: Selection, scope: Scope, until: float = inf) -> None:
        """Walk the whole file once.

        Raises:
            FatalSourceError: `feed_changed`, somebody writes to the file meanwhile.
            RetryableSourceError: `uncounted`, the walk was not over at `until` (monotonic).
        """
        self._until = until
        self._identity = feed.identity
        self._scope = scope
        self._numbers = array("Q")  # start, end and count of each batch: 24 bytes
        self._ids: list[tuple[str, ...]] = []
        self.records = self._read = 0
        with DistinctCounter() as distinct:
            unknown = self._walk(selection.found(feed, 0, feed.identity.size, self._check_patience), distinct)
            # A record whose id cannot be read might be any product: counted here and never seen as an id, it keeps
            # the walk from proving that some other product is gone.
            self.total = distinct.count() + unknown
        feed.require(feed.identity)

    def _walk(self, walk: Iterator[Found], distinct: "DistinctCounter") -> int:
        unknown = start = end = 0
        ids: list[str] = []
        for found in walk:
            if not ids:
                start = found.piece.start
            end = found.piece.end
            ids.append(found.source_id)
            if found.source_id:
                distinct.add(found.source_id)
            else:
                unknown += 1
            if len(ids) == self._scope.batch_size or end - start >= BATCH_BYTES:
                self._close(start, end, ids)
                ids = []
        if ids or not self._numbers:
            self._close(start, end, ids)
        return unknown

    def _check_patience(self) -> None:
        self._read += 1
        if self._read % LOOK_RECORDS == 0 and time.monotonic() > self._until:
            raise RetryableSourceError("The file is too large to be counted while somebody waits.", code="uncounted")

    def specs(self) -> Iterator[BatchSpec]:
        """The batches in file order; a walk that selects nothing has one batch without records, which says so."""
        for number in range(len(self._numbers) // 3):
            start, end, count = self._numbers[3 * number : 3 * number + 3]
            params = BatchParams(
                identity=self._identity,
                start=start,
                end=end,
                count=count,
                total=self.total,
                category_id=self._scope.category_id,
                offer_ids=self._ids[number] if self._ids else (),
                since=self._scope.since,
                until=self._scope.until,
            )
            yield BatchSpec(params=msgspec.to_builtins(params), expected=count)

    def _close(self, start: int, end: int, ids: list[str]) -> None:
        self.records += len(ids)
        self._numbers.extend((start, end, len(ids)))
        if self._scope.offer_ids:
            self._ids.append(tuple(dict.fromkeys(ids)))


class DistinctCounter:
    """Counts different texts in flat memory: 64-bit hashes, spread over spooled files that each fit into a set.

    Among 15 million ids two share a hash once in 160,000 feeds; the walk then merely proves nothing.
    """

    def __init__(self) -> None:
        self._buckets = [SpooledTemporaryFile(max_size=SPOOL_BYTES) for _ in range(BUCKETS)]  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for bucket in self._buckets:
            bucket.close()

    def add(self, item: str) -> None:
        """Count one text."""
        number = hash(item)
        self._buckets[number % BUCKETS].write(number.to_bytes(8, "little", signed=True))

    def count(self) -> int:
        """How many different texts there were so far."""
        return sum(map(self._count_bucket, self._buckets))

    @staticmethod
    def _count_bucket(bucket: "SpooledTemporaryFile[bytes]") -> int:
        bucket.seek(0)
        return len(set(array("q", bucket.read())))
