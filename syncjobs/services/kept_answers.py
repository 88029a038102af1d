"""A source as it answered before: what the raw layer keeps, mapped as the source's own connector maps today.

For the engine this is one more connector, so a replay is planned, claimed, stopped, killed and resumed like any job;
but it calls nobody, and what it writes is checked against what syncs have stored since.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from django.db import transaction

from products.records import ApplyResult, CategoryRecord, FingerprintedProduct, ProductRecord
from syncjobs.engine.contracts import BATCH_SIZE, BatchSpec, CheckReport, Connector, Page, Plan, RawRecord, Scope
from syncjobs.engine.errors import RetryableSourceError
from syncjobs.engine.pipeline import BatchResult
from syncjobs.models import SyncJob
from syncjobs.services import raw_answers
from syncjobs.services.batches import BatchUnitOfWork, Claim, Then, check_fence, nothing_more
from syncjobs.services.sources import connect
from system import sql

PAGE = 50
# Products are counted and cut into batches this many at a time.
PLANNED_AT_ONCE = 20_000
# Another sync can store a product between two looks, but hardly twice.
TRIES = 3

_PRODUCTS = """
SELECT source_id FROM syncjobs_rawanswer
WHERE source = %(source)s::text AND source_id > %(after)s::text
  AND (%(ids)s::text[] IS NULL OR source_id = ANY(%(ids)s::text[]))
GROUP BY source_id HAVING max(seen_at) >= coalesce(%(since)s::timestamptz, '-infinity')
ORDER BY source_id LIMIT %(limit)s::int
"""
_LAST = """
SELECT id, source_id, payload, greatest(seen_at, applied_at) AS moment FROM (
    SELECT DISTINCT ON (source_id) * FROM syncjobs_rawanswer
    WHERE source = %(source)s::text AND source_id > %(after)s::text AND source_id <= %(upto)s::text
      AND (%(ids)s::text[] IS NULL OR source_id = ANY(%(ids)s::text[]))
    ORDER BY source_id, seen_at DESC, id DESC) AS last
WHERE seen_at >= coalesce(%(since)s::timestamptz, '-infinity') ORDER BY source_id LIMIT %(limit)s::int
"""
_STORED = """
SELECT source_id, greatest(synced_at, stock_at) FROM products_product
WHERE source = %s AND source <> '' AND source_id = ANY(%s) ORDER BY source_id FOR UPDATE
"""


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """The products of one batch: those behind `after` up to `upto`, or of these only `ids`."""

    after: str
    upto: str
    since: datetime | None = None
    ids: tuple[str, ...] | None = None


class Answer(NamedTuple):
    """A kept answer in the hands of a batch: its row, and up to when what is stored of the product may come from it."""

    id: int
    moment: datetime


class KeptAnswers:
    """The connector of a replay. `handed` are the answers of the batch that was fetched last, by product."""

    kind = "replay"
    batch_size = BATCH_SIZE
    # To look at every answer again is what a replay is for.
    edition = b""

    def __init__(self, source: str, mapper: Connector) -> None:
        self._source, self._mapper = source, mapper
        self.handed: dict[str, Answer] = {}

    def check(self) -> CheckReport:
        """What the source's own connector says."""
        return self._mapper.check()

    def categories(self) -> Iterator[CategoryRecord]:
        """None: a tree is read from the source only."""
        return iter(())

    def plan(self, scope: Scope) -> Plan:
        """Ranges of products, found without reading an answer; proves nothing, and has no watermark."""
        since = scope.since and scope.since - raw_answers.FRESH
        ids = scope.offer_ids or None
        batches: list[Reach] = []
        total, products = 0, self._products(since, ids)
        while part := list(islice(products, scope.batch_size)):
            reach = Reach(after=batches[-1].upto if batches else "", upto=part[-1], since=since, ids=ids)
            total += len(part)
            batches.append(reach)
        specs = (BatchSpec(params=msgspec.to_builtins(reach), expected=scope.batch_size) for reach in batches)
        return Plan(batches=specs, total=total)

    def fetch(self, spec: BatchSpec) -> Iterator[Page]:
        """The last kept answer of each product, a page at a time."""
        reach = msgspec.convert(spec.params, Reach)
        self.handed = {}
        after = reach.after
        while rows := self._last(reach, after):
            after = rows[-1]["source_id"]
            self.handed |= {row["source_id"]: Answer(row["id"], row["moment"]) for row in rows}
            records = tuple(RawRecord(raw_answers.unpacked(row["payload"]), row["source_id"]) for row in rows)
            yield Page(records=records, calls=0)

    def normalize(self, raw: RawRecord) -> ProductRecord:
        """As the source's own connector does."""
        return self._mapper.normalize(raw)

    def close(self) -> None:
        """Close the source's own connector."""
        self._mapper.close()

    def _products(self, since: datetime | None, ids: Sequence[str] | None) -> Iterator[str]:
        values = {"source": self._source, "since": since, "ids": list(ids) if ids else None, "limit": PLANNED_AT_ONCE}
        after = ""
        while found := sql.fetch_all(_PRODUCTS, values | {"after": after}):
            yield from (row[0] for row in found)
            after = found[-1][0]

    def _last(self, reach: Reach, after: str) -> list[dict[str, Any]]:
        values = {"source": self._source, "after": after, "upto": reach.upto, "since": reach.since, "limit": PAGE}
        return sql.rows(_LAST, values | {"ids": list(reach.ids) if reach.ids else None})


def connector_of(job: SyncJob) -> Connector:
    """What a job reads from: its source, or what is kept of it. The caller closes it.

    Raises:
        FatalSourceError: the source's options make no sense.
    """
    connector = connect(job.source, job=job)
    return KeptAnswers(job.source.name, connector) if job.trigger == SyncJob.Trigger.REPLAY else connector


class ReplayUnitOfWork(BatchUnitOfWork):
    """Like that of a sync, but the source has said nothing: what was stored since stays, and nobody has been seen."""

    def __init__(self, claim: Claim, handed: dict[str, Answer]) -> None:
        super().__init__(claim)
        self._handed = handed
        self._superseded = 0

    def apply(self, products: tuple[FingerprintedProduct, ...]) -> ApplyResult:
        """Write what nobody has overtaken; the rest counts as unchanged.

        Raises:
            RetryableSourceError: another sync is about to create the same products.
        """
        for _ in range(TRIES):
            self._written = ()
            stored = self._stored(products)
            current = tuple(product for product in products if not self._is_overtaken(product, stored))
            before = transaction.savepoint()
            applied = super().apply(current) if current else ApplyResult()
            # A product that was missing and could not be created came from another sync meanwhile: look again.
            if applied.created >= sum(product.record.source_id not in stored for product in current):
                transaction.savepoint_commit(before)
                self._superseded = len(products) - len(current)
                return msgspec.structs.replace(applied, unchanged=applied.unchanged + self._superseded)
            transaction.savepoint_rollback(before)
        raise RetryableSourceError("another sync stores the same products now", code="overtaken")

    def finish(self, result: BatchResult) -> None:
        """As after a sync, but the answers are there already."""
        counters = msgspec.structs.replace(result.counters, superseded=self._superseded)
        super().finish(msgspec.structs.replace(result, counters=counters, answers={}, seen=frozenset()))
        if self._written and not self.claim.dry_run:
            raw_answers.mark_applied([self._handed[key].id for key in self._written if key in self._handed])

    def _stored(self, products: Collection[FingerprintedProduct]) -> dict[str, datetime | None]:
        """When syncs last changed those of the products that there are, locked in the order of every writer."""
        ids = [product.record.source_id for product in products]
        return {row[0]: row[1] for row in sql.fetch_all(_STORED, [self.claim.source, ids])}

    def _is_overtaken(self, product: FingerprintedProduct, stored: dict[str, datetime | None]) -> bool:
        """What was listed under another id than it has is nobody's last answer."""
        changed_at, answer = stored.get(product.record.source_id), self._handed.get(product.record.source_id)
        return changed_at is not None and (answer is None or changed_at > answer.moment)


@contextmanager
def commit_replay(claim: Claim, kept: KeptAnswers, then: Then = nothing_more) -> Iterator[ReplayUnitOfWork]:
    """One transaction for everything a batch of a replay does; see `batches.commit_batch`.

    Raises:
        LeaseLost: another worker has the batch.
        SyncCancelled: the job has ended meanwhile.
    """
    with transaction.atomic():
        check_fence(claim)
        work = ReplayUnitOfWork(claim, kept.handed)
        yield work
    then(work.totals)
