"""The connector of the 1688 open platform: what the engine sees of it."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

from products.records import CategoryRecord, ProductRecord
from syncjobs.connectors.alibaba1688.answers import CategoryAnswer
from syncjobs.connectors.alibaba1688.apis import CATEGORY_GET, ID_LIST_SIZE, LIST_PAGE_SIZE, OFFER_DETAIL
from syncjobs.connectors.alibaba1688.categories import ROOT, CategoryWalk, children_of
from syncjobs.connectors.alibaba1688.checking import SourceCheck
from syncjobs.connectors.alibaba1688.client import LONGEST_QUICK_WAIT_SECONDS, GatewayClient
from syncjobs.connectors.alibaba1688.details import OfferDetails, Offers, Way
from syncjobs.connectors.alibaba1688.doubts import Doubts
from syncjobs.connectors.alibaba1688.failed_messages import FailedMessages
from syncjobs.connectors.alibaba1688.failures import NOT_GRANTED, BusinessError
from syncjobs.connectors.alibaba1688.listing import Ids, ProductLookup, Range, SellerListing
from syncjobs.connectors.alibaba1688.mapping import map_product
from syncjobs.connectors.alibaba1688.offer_links import normalize_offer_id
from syncjobs.connectors.alibaba1688.options import PoolOptions, SearchOptions, read_options
from syncjobs.connectors.alibaba1688.pool import PoolListing, PoolPages
from syncjobs.connectors.alibaba1688.search import SearchListing, SearchWalk, Window, offers_spec
from syncjobs.connectors.alibaba1688.tokens import Tokens
from syncjobs.connectors.http import HttpClient
from syncjobs.connectors.registry import ConnectorContext
from syncjobs.engine.contracts import BATCH_SIZE, BatchSpec, CheckReport, Page, Plan, RawRecord, Scope
from syncjobs.engine.editions import edition
from syncjobs.engine.errors import FatalSourceError, RetryableSourceError

T = TypeVar("T")

GATEWAY_URL = "https://gw.open.1688.com"
# Who waits for an answer is better told to come again than kept waiting for the platform to be content.
HASTY_QUICK_WAIT_SECONDS = 1.0


class Alibaba1688Connector:
    """One authorised account's view of the platform: its own products, a search, or an offer pool (docs/1688.md).

    A full walk is provable over the account's own products, whose listing holds every product in every state and
    repeats its total on each page, and over a pool, whose rows repeat its total. A search proves nothing.
    """

    kind = "alibaba1688"
    batch_size = BATCH_SIZE
    # Of the options none decides what a product's bytes mean.
    edition = edition()

    def __init__(self, context: ConnectorContext) -> None:
        """Raises FatalSourceError `invalid_options`."""
        self.options = options = read_options(context.options)
        gateway_url = (options.gateway_url or GATEWAY_URL).rstrip("/")
        self._gives_up_at, self._patience = context.gives_up_at(), context.patience
        self._http = HttpClient(context.allowed_hosts, until=self._gives_up_at)
        self._tokens = Tokens(context.credentials, self._http, context.gate, gateway_url)
        self._client = GatewayClient(
            self._http,
            gateway_url,
            self._tokens,
            context.gate,
            longest_quick_wait=LONGEST_QUICK_WAIT_SECONDS if context.patience is None else HASTY_QUICK_WAIT_SECONDS,
        )
        self._listing, self._lookup = SellerListing(self._client), ProductLookup(self._client)
        self._details = OfferDetails(self._client, options.country)

    def check(self) -> CheckReport:
        """Signed current time, a call without arguments for each API the walk needs, then the tokens. Never raises."""
        return SourceCheck(self._client, self._tokens, self.options).report()

    def categories(self) -> Iterator[CategoryRecord]:
        """The platform's whole tree, parents first; the same for every account."""
        return iter(CategoryWalk(self._category))

    def plan(self, scope: Scope) -> Plan:
        """Ranges of pages or lists of offers for a walk, lists of ids for a choice of products."""
        if self.options.walk != "seller" and scope.until is not None:
            raise FatalSourceError(
                "A search or a pool cannot be asked for what changed in a window of time.",
                code="scope_unsupported",
                suggestion="Sync everything, or use a source that walks the account's own products.",
            )
        if scope.offer_ids:
            plan = self._plan_for_ids(scope)
        elif self.options.search:
            plan = self._plan_search(scope, self.options.search)
        else:
            plan = self._plan_pool(scope, self.options.pool) if self.options.pool else self._plan_seller(scope)
        return msgspec.structs.replace(plan, calls=lambda: self._client.calls)

    def fetch(self, spec: BatchSpec) -> Iterator[Page]:
        """One page for each call."""
        match _walk_of(spec):
            case Ids(ids=ids):
                return self._lookup.pages(ids)
            case Offers(ids=ids, way=way):
                return self._details.pages(ids, way)
            case Window() as window:
                return SearchListing(self._client, _unchanged(self.options.search)).pages(window)
            case PoolPages() as pages:
                return PoolListing(self._client, _unchanged(self.options.pool), self._details).pages(pages)
            case Range() as wanted:
                return self._listing.pages(wanted)

    def normalize(self, raw: RawRecord) -> ProductRecord:
        """See `mapping.map_product`."""
        return map_product(raw.payload)

    def failed_messages(self) -> FailedMessages:
        """What the platform could not push."""
        return FailedMessages(self._client)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _plan_seller(self, scope: Scope) -> Plan:
        """The watermark is the gateway's clock, read before the first page: what changes during the walk is newer."""
        size = min(scope.batch_size, LIST_PAGE_SIZE)
        since = scope.since if scope.type == "incremental" else None
        wanted = Range(page=1, pages=1, size=size, category_id=scope.category_id, since=since, until=scope.until)
        watermark = self._client.now()
        total, size = self._listing.measure(wanted)
        wanted = msgspec.structs.replace(wanted, size=size)
        return Plan(
            batches=self._listing.batches(wanted, scope.batch_size, total),
            total=total,
            provable=since is None and scope.until is None and total is not None,
            watermark=watermark,
        )

    def _plan_search(self, scope: Scope, options: SearchOptions) -> Plan:
        """Without a watermark: what a search did not show may have changed unseen."""
        doubts = self._doubts_of(scope)
        way = self._way()
        shallow = way is None and self.options.details == "if_granted"
        if shallow:
            doubts.add("listing_only")
        listing = SearchListing(self._client, options)
        plan = SearchWalk(listing, options, self._children(doubts), doubts).plan(scope, way, self._tick)
        return msgspec.structs.replace(plan, shallow=shallow)

    def _plan_pool(self, scope: Scope, options: PoolOptions) -> Plan:
        """All of a pool is read each time, so the gateway's clock before the first page is an honest watermark."""
        pool, doubts = PoolListing(self._client, options, self._details), self._doubts_of(scope)
        watermark = self._client.now()
        wanted = pool.measure(scope, self._needed_way())
        return Plan(
            batches=pool.batches(wanted, scope.batch_size),
            total=wanted.total,
            provable=scope.type == "full",
            watermark=watermark,
            doubts=doubts,
        )

    def _plan_for_ids(self, scope: Scope) -> Plan:
        ids = _offer_ids(scope)
        parts = [ids[start : start + scope.batch_size] for start in range(0, len(ids), scope.batch_size)]
        if self.options.walk == "seller":
            return Plan(batches=map(_ids_spec, parts), total=len(ids))
        # Change messages make many small jobs; none of them is worth a call that only asks for the way.
        return Plan(batches=(offers_spec(part, "any") for part in parts), total=len(ids))

    def _way(self) -> Way | None:
        """The way to details; None where the app may not ask for any, or nobody wants them."""
        if self.options.details == "never":
            return None
        return self._details.granted_way() if self.options.details == "if_granted" else self._needed_way()

    def _needed_way(self) -> Way:
        way = self._details.granted_way()
        if way is None:
            raise FatalSourceError(
                "The app may not ask for the details of offers.",
                code="api_not_granted",
                suggestion=f"Apply for {OFFER_DETAIL.name} in the open platform console.",
            )
        return way

    def _doubts_of(self, scope: Scope) -> Doubts:
        doubts = Doubts()
        if scope.type == "incremental":
            doubts.add("reads_everything")
        return doubts

    def _children(self, doubts: Doubts) -> Callable[[int | None], tuple[int, ...]]:
        """Asks for one level of the tree at a time, and only where a search is split."""
        known: dict[int, tuple[int, ...]] = {}

        def children(number: int | None) -> tuple[int, ...]:
            wanted = number or ROOT
            if wanted not in known:
                known[wanted] = self._category_children(wanted, doubts)
            return known[wanted]

        return children

    def _category_children(self, number: int, doubts: Doubts) -> tuple[int, ...]:
        try:
            return children_of(self._category(number), number)
        except FatalSourceError as error:
            if error.code not in NOT_GRANTED:
                raise
            doubts.add("tree_not_granted")
            return ()

    def _tick(self) -> None:
        """Who waits for a plan gets what could be counted in half the time; the rest is for the first records."""
        if self._patience is not None and time.monotonic() > self._gives_up_at - self._patience / 2:
            raise RetryableSourceError("The search is too large to be counted while somebody waits.", code="uncounted")

    def _category(self, number: int) -> CategoryAnswer:
        try:
            return self._client.call(CATEGORY_GET, {"categoryID": number}, CategoryAnswer)
        except BusinessError as error:
            raise error.as_engine_error(CATEGORY_GET) from None


def _walk_of(spec: BatchSpec) -> Range | Ids | Offers | Window | PoolPages:
    try:
        return msgspec.convert(spec.params, Range | Ids | Offers | Window | PoolPages)
    except msgspec.ValidationError:
        raise _replanned() from None


def _unchanged(options: T | None) -> T:
    """The options that a batch was planned with; the source may have become another walk since."""
    if options is None:
        raise _replanned()
    return options


def _replanned() -> FatalSourceError:
    return FatalSourceError(
        "The batch was planned by another version of the connector, or with other options.",
        code="invalid_batch",
        suggestion="Start the sync anew instead of resuming it.",
    )


def _ids_spec(ids: tuple[str, ...]) -> BatchSpec:
    return BatchSpec(params=msgspec.to_builtins(Ids(ids=ids)), expected=len(ids), calls=-(-len(ids) // ID_LIST_SIZE))


def _offer_ids(scope: Scope) -> tuple[str, ...]:
    try:
        return tuple(dict.fromkeys(map(normalize_offer_id, scope.offer_ids)))
    except ValueError as error:
        raise FatalSourceError(
            str(error), code="invalid_offer_id", suggestion="Correct the list of products."
        ) from None
