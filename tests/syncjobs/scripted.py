"""A source made of a dict, for tests of the engine: what it answers is said by the test."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from products.records import CategoryRecord, CategoryRef, ProductRecord, SkuRecord
from syncjobs.connectors.registry import ConnectorContext
from syncjobs.engine.contracts import BatchSpec, CheckReport, Doubt, Page, Plan, RawRecord, Scope
from syncjobs.engine.errors import RecordRejected

CLOCK = datetime(2026, 5, 1, tzinfo=UTC)


def quiet(_spec: BatchSpec) -> None:
    """Nothing goes wrong."""


class World:
    """What the source holds, and what goes wrong with it. One a test."""

    def __init__(self) -> None:
        self.prices: dict[str, str] = {}
        self.updated: dict[str, datetime] = {}
        self.clock = CLOCK
        self.claimed_total: Callable[[], int] = lambda: len(self.prices)
        self.before_fetch: Callable[[BatchSpec], None] = quiet
        self.hidden: set[str] = set()
        self.gone: set[str] = set()
        self.fetches = 0
        self.edition = b""
        self.mapped: list[str] = []
        self.doubts: list[Doubt] = []
        self.shallow = False
        self.skus: tuple[SkuRecord, ...] = ()

    def offer(self, count: int, price: str = "10.00") -> None:
        """Fill the source with offers 100001, 100002, …"""
        self.prices |= {str(100001 + index): price for index in range(count)}


world = World()


class ScriptedConnector:
    """Reads `world`, one page a call."""

    kind = "scripted"
    batch_size = 100

    @property
    def edition(self) -> bytes:
        return world.edition

    def __init__(self, context: ConnectorContext) -> None:
        self.context = context

    def check(self) -> CheckReport:
        return CheckReport(ok=True, checks=())

    def categories(self) -> Iterator[CategoryRecord]:
        yield CategoryRecord(id=1, name="服装")

    def plan(self, scope: Scope) -> Plan:
        ids = sorted(scope.offer_ids or world.prices)
        if scope.since:
            ids = [offer for offer in ids if world.updated.get(offer, CLOCK) >= scope.since]
        if scope.until:
            ids = [offer for offer in ids if world.updated.get(offer, CLOCK) < scope.until]
        cuts = range(0, len(ids), scope.batch_size)
        batches = [BatchSpec(params={"ids": ids[cut : cut + scope.batch_size]}) for cut in cuts]
        provable = scope.type == "full" and not scope.offer_ids
        return Plan(
            batches=batches,
            total=len(ids),
            provable=provable,
            watermark=world.clock,
            doubts=world.doubts,
            shallow=world.shallow,
        )

    def fetch(self, spec: BatchSpec) -> Iterator[Page]:
        world.fetches += 1
        world.before_fetch(spec)
        shown = [offer for offer in spec.params["ids"] if offer not in world.hidden | world.gone]
        gone = tuple(offer for offer in spec.params["ids"] if offer in world.gone)
        records = tuple(RawRecord(msgspec.json.encode([offer, world.prices[offer]]), offer) for offer in shown)
        yield Page(records=records, gone=gone, total=world.claimed_total())

    def normalize(self, raw: RawRecord) -> ProductRecord:
        offer, price = msgspec.json.decode(raw.payload)
        world.mapped.append(offer)
        if price == "broken":
            raise RecordRejected("price is not a number", code="invalid_price", field="price")
        return ProductRecord(
            source_id=offer,
            title=f"商品 {offer}",
            price=Decimal(price),
            category=CategoryRef(id=1),
            source_updated_at=world.updated.get(offer, CLOCK),
            skus=world.skus,
        )

    def close(self) -> None:
        pass
