"""The way of one batch, from the source to the catalogue. Start reading here.

    fetch ► raw ► normalize ► diff by fingerprint ► apply ─ one transaction: rows, change log, batch done, counters
             │       └ rejected ► kept with its raw payload and reason
             └ the same bytes as last time ► their fingerprint is known ► diff

Everything up to the transaction can be repeated at will: it writes nothing, and a thread does it for the next batch
while one is written (`syncjobs.services.read_ahead`). The transaction belongs to the caller's
`UnitOfWork`, which checks that the batch is still ours before the first write and commits all of it or nothing.
"""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from products.records import ApplyResult, FingerprintedProduct
from syncjobs.engine.contracts import BatchSpec, Connector, Heartbeat
from syncjobs.engine.diff import differing
from syncjobs.engine.extract import extract
from syncjobs.engine.normalize import Normalized, Reject


class Counters(msgspec.Struct, frozen=True, kw_only=True):
    """What one batch did, in products (`calls`: calls to the source; `fields`: how often each field changed).

    `delisted`, `missing`, `hidden` (deleted here, and kept up to date) and `superseded` (a replay left them as a later
    sync had stored them) are told of products counted before.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    delisted: int = 0
    missing: int = 0
    hidden: int = 0
    superseded: int = 0
    calls: int = 0
    fields: dict[str, int] = {}

    @property
    def processed(self) -> int:
        """Products dealt with, whatever came of them."""
        return self.created + self.updated + self.unchanged + self.rejected


class BatchResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch leaves behind besides the products: counters, rejects, the source's own bytes by product, the
    fingerprints of those that were mapped, and what a walk needs for its proof.
    """

    counters: Counters
    rejects: tuple[Reject, ...] = ()
    answers: Mapping[str, bytes] = {}
    mapped: Mapping[str, bytes] = {}
    seen: frozenset[str] = frozenset()
    totals: frozenset[int] = frozenset()
    unidentified: int = 0


class Memory(Protocol):
    """What is known of bytes that a source sent before."""

    def recall(self, answers: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """By product the fingerprint of the record that its bytes were mapped to, where they are what it said last."""
        ...


class NoMemory:
    """Everything is mapped."""

    def recall(self, _answers: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """Nothing is known."""
        return {}


NO_MEMORY = NoMemory()


class UnitOfWork(Protocol):
    """The open transaction of one batch."""

    def fingerprints(self, source_ids: Collection[str]) -> Mapping[str, bytes]:
        """Fingerprints of the products the catalogue holds, by source id."""
        ...

    def apply(self, products: tuple[FingerprintedProduct, ...]) -> ApplyResult:
        """Write new and changed products."""
        ...

    def finish(self, result: BatchResult) -> None:
        """Record that the batch happened."""
        ...


class Commit(Protocol):
    """Opens the batch's transaction. Raises LeaseLost when the batch is not ours any more."""

    def __call__(self) -> AbstractContextManager[UnitOfWork]: ...


def read_batch(connector: Connector, spec: BatchSpec, heartbeat: Heartbeat, memory: Memory = NO_MEMORY) -> Normalized:
    """Fetch and map one batch. Nothing is written, so it may be done ahead, and again.

    Args:
        memory: spares products whose bytes are known the mapping.

    Raises:
        SyncCancelled, LeaseLost: from the heartbeat.
        RetryableSourceError, FatalSourceError, QuotaExhausted: the source did not deliver.
    """
    normalized = Normalized()
    for page in extract(connector, spec, heartbeat):
        normalized.take(page)
    normalized.map(connector, heartbeat, memory.recall(normalized.unmapped()))
    return normalized


def write_batch(normalized: Normalized, connector: Connector, commit: Commit) -> BatchResult:
    """Store a batch that was read; afterwards it is done, or nothing of it happened.

    Raises:
        SyncCancelled: the job is over.
        LeaseLost: another worker has the batch.
    """
    with commit() as work:
        changed, unchanged = _compare(normalized, connector, work)
        applied = work.apply(changed) if changed else ApplyResult()
        result = _result(normalized, applied, unchanged)
        work.finish(result)
    return result


def _compare(
    normalized: Normalized, connector: Connector, work: UnitOfWork
) -> tuple[tuple[FingerprintedProduct, ...], int]:
    stored = work.fingerprints([*normalized.products, *normalized.same])
    normalized.remap(stored, connector)
    changed, unchanged = differing(normalized.products.values(), stored)
    return changed, unchanged + len(normalized.same)


def _result(normalized: Normalized, applied: ApplyResult, unchanged: int) -> BatchResult:
    counters = Counters(
        created=applied.created,
        updated=applied.updated,
        unchanged=unchanged + applied.unchanged,
        rejected=len(normalized.rejects),
        calls=normalized.calls,
        fields=applied.fields,
    )
    return BatchResult(
        counters=counters,
        rejects=tuple(normalized.rejects),
        answers=normalized.answers,
        mapped={source_id: product.fingerprint for source_id, product in normalized.products.items()},
        seen=frozenset(normalized.seen_ids()),
        totals=frozenset(normalized.totals),
        unidentified=normalized.unidentified(),
    )
