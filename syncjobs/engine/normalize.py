"""Second stage: raw records to fingerprinted products, each by itself, so that one bad offer costs one offer."""

from collections import Counter
from collections.abc import Mapping

import msgspec

from products.records import PRODUCT_ROOM, FingerprintedProduct, ProductRecord, without_room
from syncjobs.engine.contracts import Connector, Heartbeat, Page, RawRecord
from syncjobs.engine.errors import RecordRejected


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """A record that could not be used, with what is needed to look at it and to try again."""

    payload: bytes
    step: str
    code: str
    message: str
    field: str = ""
    source_id: str | None = None


class Normalized(msgspec.Struct, kw_only=True):
    """What a batch's pages came to. A product that came twice counts once; its last version wins.

    `answers` are the source's own bytes by product, also of products whose record was rejected. `waiting` are records
    that are not mapped yet. `same` holds the fingerprints of products whose bytes are known to mean that record; they
    are mapped only if the catalogue holds another one (`remap`).
    """

    products: dict[str, FingerprintedProduct] = msgspec.field(default_factory=dict)
    same: dict[str, bytes] = msgspec.field(default_factory=dict)
    waiting: list[RawRecord] = msgspec.field(default_factory=list)
    rejects: list[Reject] = msgspec.field(default_factory=list)
    answers: dict[str, bytes] = msgspec.field(default_factory=dict)
    totals: set[int] = msgspec.field(default_factory=set)
    calls: int = 0

    def add(self, page: Page, connector: Connector, heartbeat: Heartbeat) -> None:
        """Take in one page and map its records."""
        self.take(page)
        self.map(connector, heartbeat)

    def take(self, page: Page) -> None:
        """Take in one page; its records wait to be mapped."""
        self.calls += page.calls
        if page.total is not None:
            self.totals.add(page.total)
        for payload, reason in page.rejected:
            self.rejects.append(Reject(payload=payload, step="decode", code="undecodable", message=reason))
        for source_id in page.gone:
            self.rejects.append(_gone(source_id))
        self.waiting.extend(page.records)

    def unmapped(self) -> dict[str, bytes]:
        """The bytes of the records that wait, by product; without those that came more than once."""
        often = Counter(raw.source_id for raw in self.waiting)
        return {raw.source_id: raw.payload for raw in self.waiting if raw.source_id and often[raw.source_id] == 1}

    def map(self, connector: Connector, heartbeat: Heartbeat, known: Mapping[str, bytes] | None = None) -> None:
        """Map the records that wait, but for those whose fingerprint is `known` by what they say word for word."""
        waiting, self.waiting = self.waiting, []
        for raw in waiting:
            heartbeat()
            if known and raw.source_id and raw.source_id in known:
                self.same[raw.source_id], self.answers[raw.source_id] = known[raw.source_id], raw.payload
            else:
                self._add_record(raw, connector)

    def remap(self, stored: Mapping[str, bytes], connector: Connector) -> None:
        """Map the same after all where the catalogue holds another record."""
        differ = [source_id for source_id, digest in self.same.items() if stored.get(source_id) != digest]
        for source_id in differ:
            del self.same[source_id]
            self._add_record(RawRecord(self.answers[source_id], source_id), connector)

    def _add_record(self, raw: RawRecord, connector: Connector) -> None:
        try:
            record = connector.normalize(raw)
            _check_room(record)
        except RecordRejected as error:
            reject = _reject(raw, error)
            self.rejects.append(reject)
            if reject.source_id:
                self.answers[reject.source_id] = raw.payload
        else:
            self.products[record.source_id] = FingerprintedProduct(record, record.fingerprint())
            self.answers[record.source_id] = raw.payload

    def seen_ids(self) -> set[str]:
        """Every id the source still showed, usable or not."""
        return (
            self.products.keys()
            | self.same.keys()
            | {reject.source_id for reject in self.rejects if reject.source_id and reject.code != "gone"}
        )

    def unidentified(self) -> int:
        """Records that do not even say which product they are: a walk with one of these proves nothing."""
        return sum(1 for reject in self.rejects if reject.source_id is None)


def _check_room(record: ProductRecord) -> None:
    field = without_room(record)
    if field:
        raise RecordRejected(f"{field} is larger than the catalogue can hold", code="too_large", field=field)


def _reject(raw: RawRecord, error: RecordRejected) -> Reject:
    return Reject(
        payload=raw.payload,
        step=error.step,
        code=error.code,
        message=error.message,
        field=error.field,
        source_id=raw.source_id if raw.source_id and len(raw.source_id) <= PRODUCT_ROOM["source_id"] else None,
    )


def _gone(source_id: str) -> Reject:
    return Reject(
        payload=b"",
        step="fetch",
        code="gone",
        message="The source says this product does not exist.",
        source_id=source_id,
    )
