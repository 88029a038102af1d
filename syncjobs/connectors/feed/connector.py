"""The feed connector: products from a file or an address by a mapping in the source's options."""

import hashlib
import logging
from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cached_property

import msgspec

from products.records import CategoryRecord, ProductRecord
from syncjobs.connectors.feed.checking import check_feed
from syncjobs.connectors.feed.encodings import Encoding, original
from syncjobs.connectors.feed.files import Feed
from syncjobs.connectors.feed.mapping import Mapping
from syncjobs.connectors.feed.opening import opened
from syncjobs.connectors.feed.options import FeedOptions, read_options
from syncjobs.connectors.feed.planning import BatchParams, Cut, Found, Selection
from syncjobs.connectors.feed.readers import decode
from syncjobs.connectors.feed.storing import Means
from syncjobs.connectors.registry import ConnectorContext
from syncjobs.engine.contracts import BatchSpec, CheckReport, Page, Plan, RawRecord, Scope
from syncjobs.engine.editions import edition
from syncjobs.engine.errors import FatalSourceError, RecordRejected

logger = logging.getLogger(__name__)

PAGE_BYTES = 4 * 1024 * 1024


class FeedConnector:
    """Reads a file or an address. Files are opened per call, so there is nothing to keep or to close."""

    kind = "feed"
    # A batch takes some twenty statements whatever its size: with 100, 40 % of an unchanged walk.
    batch_size = 500

    def __init__(self, context: ConnectorContext) -> None:
        """Take the configuration; it is read on first use, so that `check` can say what is wrong with it."""
        self._context = context

    @cached_property
    def options(self) -> FeedOptions:
        """The source's options; raises FatalSourceError `invalid_options`."""
        return read_options(self._context.options)

    @cached_property
    def mapping(self) -> Mapping:
        """The compiled mapping; raises FatalSourceError `invalid_mapping`."""
        return Mapping(self.options.mapping)

    @cached_property
    def edition(self) -> bytes:
        """What the mapping says, besides our code."""
        return edition(msgspec.json.encode(self.options.mapping, order="deterministic"))

    def check(self) -> CheckReport:
        """Read the options, open the file and map its first records. Never raises."""
        return check_feed(self._context.options, self._means())

    def categories(self) -> Iterator[CategoryRecord]:
        """Nothing: a feed names the category of each record, and has no tree of its own."""
        return iter(())

    def plan(self, scope: Scope) -> Plan:
        """Walk the file once and cut it.

        A walk over the whole file sees all there is, so a full one without limits is provable; `total` is the number
        of different ids, plus the records whose id cannot be read, which nobody can count as seen.

        An incremental walk over a feed from an address is empty if an earlier walk began with the same one.

        Raises:
            FatalSourceError: the options, the mapping, the scope or the file cannot be used.
            RetryableSourceError: `uncounted`, the file is too large for the caller's patience.
        """
        watermark = datetime.now(UTC)
        since = scope.since if scope.type == "incremental" else None
        scope = msgspec.structs.replace(scope, since=since)
        selection = Selection(self.mapping, scope.category_id, scope.offer_ids, since, scope.until)
        means = self._means()
        with opened(self.options, means) as feed:
            if self._is_known(feed, scope):
                return Plan(batches=(), total=0, watermark=watermark)
            cut = Cut(feed, selection, scope, means.until)
        if cut.records > cut.total:
            logger.warning("feed %s repeats ids: %d records, %d ids", self._context.source_name, cut.records, cut.total)
        whole = scope.type == "full" and scope.category_id is None and not scope.offer_ids and scope.until is None
        return Plan(batches=cut.specs(), total=cut.total, provable=whole, watermark=watermark)

    def fetch(self, spec: BatchSpec) -> Iterator[Page]:
        """The batch's records as the file has them, in pages of a few MiB.

        Raises:
            FatalSourceError: `feed_changed`, the file is another one than was planned; or it cannot be used.
            RetryableSourceError: the disk failed.
        """
        params = msgspec.convert(spec.params, BatchParams)
        selection = Selection(self.mapping, params.category_id, params.offer_ids, params.since, params.until)
        with opened(self.options, self._means(), params.identity) as feed:
            feed.require(params.identity)
            found = selection.found(feed, params.start, params.end) if params.count else iter(())
            for page in _pages(found, params.total, params.identity.encoding):
                feed.require(params.identity)
                yield page

    def normalize(self, raw: RawRecord) -> ProductRecord:
        """Map one record.

        Raises:
            RecordRejected: not a JSON object, or a field that cannot be used.
        """
        try:
            record = decode(raw.payload)
        except ValueError as error:
            raise RecordRejected(str(error), code="invalid_json", step="decode") from error
        return self.mapping.product(record)

    def _is_known(self, feed: Feed, scope: Scope) -> bool:
        """Whether an earlier walk has read this very feed, so that nothing in it changed since."""
        chosen = scope.category_id is not None or scope.offer_ids or scope.until is not None
        if chosen or scope.since is None or feed.unchanged_since is None:
            return False
        return feed.unchanged_since <= scope.since

    def _means(self) -> Means:
        context = self._context
        of_source = msgspec.json.encode([context.source_name, context.options], order="deterministic")
        return Means(
            folder=context.cache_folder,
            until=context.gives_up_at(),
            key=hashlib.sha256(of_source).hexdigest(),
            allowed_hosts=context.allowed_hosts,
            max_bytes=context.download_bytes,
            seconds=context.download_seconds,
            authorization=self._authorization,
        )

    def _authorization(self) -> str:
        """A token of the source as bearer, else its app key and secret as name and password (RFC 6750, RFC 7617)."""
        stored = self._context.credentials.load()
        if stored.access_token:
            if not (stored.access_token.isascii() and stored.access_token.isprintable()):
                raise FatalSourceError("The access token is no token.", code="feed_forbidden", suggestion="correct it")
            return f"Bearer {stored.access_token}"
        if not stored.app_secret:
            return ""
        return "Basic " + b64encode(f"{stored.app_key}:{stored.app_secret}".encode()).decode()

    def close(self) -> None:
        """Nothing is kept open."""


def _pages(found: Iterable[Found], total: int, encoding: Encoding) -> Iterator[Page]:
    rest = iter(found)
    while True:
        part = list(_up_to(rest, PAGE_BYTES))
        yield Page(
            records=tuple(RawRecord(each.piece.payload, each.source_id or None) for each in part if not each.reason),
            rejected=tuple((original(each.piece.payload, encoding), each.reason) for each in part if each.reason),
            total=total,
            calls=0,
        )
        if sum(len(each.piece.payload) for each in part) < PAGE_BYTES:
            return


def _up_to(found: Iterator[Found], limit: int) -> Iterator[Found]:
    size = 0
    for each in found:
        yield each
        size += len(each.piece.payload)
        if size >= limit:
            return
