"""The connector of the 1688 open platform: what the engine sees of it."""

from collections.abc import Iterator

import msgspec

from products.records import CategoryRecord, ProductRecord
from syncjobs.connectors.alibaba1688.answers import CategoryAnswer
from syncjobs.connectors.alibaba1688.apis import CATEGORY_GET, ID_LIST_SIZE, LIST_PAGE_SIZE
from syncjobs.connectors.alibaba1688.categories import CategoryWalk
from syncjobs.connectors.alibaba1688.checking import SourceCheck
from syncjobs.connectors.alibaba1688.client import LONGEST_QUICK_WAIT_SECONDS, GatewayClient
from syncjobs.connectors.alibaba1688.failed_messages import FailedMessages
from syncjobs.connectors.alibaba1688.failures import BusinessError
from syncjobs.connectors.alibaba1688.listing import Ids, ProductLookup, Range, SellerListing
from syncjobs.connectors.alibaba1688.mapping import map_product
from syncjobs.connectors.alibaba1688.offer_links import normalize_offer_id
from syncjobs.connectors.alibaba1688.tokens import Tokens
from syncjobs.connectors.http import HttpClient
from syncjobs.connectors.registry import ConnectorContext
from syncjobs.engine.contracts import BatchSpec, CheckReport, Page, Plan, RawRecord, Scope
from syncjobs.engine.errors import FatalSourceError

GATEWAY_URL = "https://gw.open.1688.com"
# Who waits for an answer is better told to come again than kept waiting for the platform to be content.
HASTY_QUICK_WAIT_SECONDS = 1.0


class Alibaba1688Connector:
    """The products of one authorised account. Options: `GatewayOptions`.

    A full walk is provable: the seller's listing holds every product in every state and repeats its total on each
    page.
    """

    kind = "alibaba1688"

    def __init__(self, context: ConnectorContext) -> None:
        gateway_url = str(context.options.get("gateway_url") or GATEWAY_URL).rstrip("/")
        self._http = HttpClient(context.allowed_hosts, until=context.gives_up_at())
        self._tokens = Tokens(context.credentials, self._http, context.gate, gateway_url)
        self._client = GatewayClient(
            self._http,
            gateway_url,
            self._tokens,
            context.gate,
            longest_quick_wait=LONGEST_QUICK_WAIT_SECONDS if context.patience is None else HASTY_QUICK_WAIT_SECONDS,
        )
        self._listing, self._lookup = SellerListing(self._client), ProductLookup(self._client)

    def check(self) -> CheckReport:
        """Signed current time, then a call without arguments for each API, then the tokens. Never raises."""
        return SourceCheck(self._client, self._tokens).report()

    def categories(self) -> Iterator[CategoryRecord]:
        """The platform's whole tree, parents first; the same for every account."""
        return iter(CategoryWalk(self._category))

    def plan(self, scope: Scope) -> Plan:
        """Ranges of pages for a walk, lists of ids for a choice of products.

        The watermark is the gateway's clock, read before the first page: what changes during the walk is newer.
        """
        if scope.offer_ids:
            return _plan_for_ids(scope)
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

    def fetch(self, spec: BatchSpec) -> Iterator[Page]:
        """One page for each call."""
        match _walk_of(spec):
            case Ids(ids=ids):
                return self._lookup.pages(ids)
            case wanted:
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

    def _category(self, number: int) -> CategoryAnswer:
        try:
            return self._client.call(CATEGORY_GET, {"categoryID": number}, CategoryAnswer)
        except BusinessError as error:
            raise error.as_engine_error(CATEGORY_GET) from None


def _walk_of(spec: BatchSpec) -> Range | Ids:
    try:
        return msgspec.convert(spec.params, Range | Ids)
    except msgspec.ValidationError:
        raise FatalSourceError(
            "The batch was planned by another version of the connector.",
            code="invalid_batch",
            suggestion="Start the sync anew instead of resuming it.",
        ) from None


def _plan_for_ids(scope: Scope) -> Plan:
    try:
        ids = tuple(dict.fromkeys(map(normalize_offer_id, scope.offer_ids)))
    except ValueError as error:
        raise FatalSourceError(
            str(error), code="invalid_offer_id", suggestion="Correct the list of products."
        ) from None
    parts = (ids[start : start + scope.batch_size] for start in range(0, len(ids), scope.batch_size))
    specs = (
        BatchSpec(params=msgspec.to_builtins(Ids(ids=part)), expected=len(part), calls=-(-len(part) // ID_LIST_SIZE))
        for part in parts
    )
    return Plan(batches=specs, total=len(ids))
