"""Feeds from addresses: fetched once for all batches of a job, and not again while they did not change."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import chain
from typing import BinaryIO

import msgspec

from syncjobs.connectors.feed.encodings import find_encoding
from syncjobs.connectors.feed.files import Identity
from syncjobs.connectors.feed.options import FeedOptions
from syncjobs.connectors.feed.snapshots import STATE, Snapshots
from syncjobs.connectors.feed.storing import Means, name_of, store_text
from syncjobs.connectors.http import HttpAnswer, HttpClient, HttpStream, counted, gunzip, http_date
from syncjobs.engine.errors import FatalSourceError, RetryableSourceError

GZIP = b"\x1f\x8b"
OK, NOT_MODIFIED = 200, 304
SETTLED_SECONDS = 60


class State(msgspec.Struct, frozen=True):
    """What a source's feed was when it was asked for last, and since when it is known to be that (UTC)."""

    identity: Identity
    seen_at: datetime
    etag: str = ""
    last_modified: str = ""

    def conditions(self) -> dict[str, str]:
        """The headers that ask for the feed only if it is another one (RFC 9110, 13.1)."""
        asked = {"if-none-match": self.etag, "if-modified-since": self.last_modified}
        return {name: value for name, value in asked.items() if value and value.isascii()}


def current(options: FeedOptions, means: Means) -> State:
    """The feed as it is now; there is a snapshot of it.

    Raises:
        FatalSourceError, RetryableSourceError: as `opened`.
    """
    store = Snapshots(means.folder)
    known = _known(store, means)
    asked_at = datetime.now(UTC)
    answer, identity = _fetched(options, means, known if known and _has(store, known) else None)
    if answer.status == NOT_MODIFIED and known:
        return known
    state = State(
        identity=identity,
        seen_at=known.seen_at if known and known.identity == identity else asked_at,
        etag=answer.headers.get("etag", ""),
        last_modified=_settled(answer),
    )
    with store.incoming() as file:
        file.write(msgspec.json.encode(state))
        store.keep(file, means.key + STATE)
    return state


def _settled(answer: HttpAnswer) -> str:
    """`Last-Modified` where it tells the feed from the next one.

    It counts seconds, so a feed that is younger may be replaced within the same one (RFC 9110, 8.8.2.2).
    """
    header = answer.headers.get("last-modified", "")
    modified = http_date(header)
    return header if modified and answer.answered_at() - modified >= SETTLED_SECONDS else ""


def downloaded(options: FeedOptions, means: Means) -> Identity:
    """Fetch the feed whatever is known of it, and make its snapshot.

    Raises:
        FatalSourceError, RetryableSourceError: as `opened`.
    """
    return _fetched(options, means, None)[1]


def _fetched(options: FeedOptions, means: Means, known: State | None) -> tuple[HttpAnswer, Identity]:
    """The answer and the feed in it, or the known one if it did not change; there is a snapshot of it."""
    begun = False
    try:
        with _asked(options, means, known.conditions() if known else {}) as (answer, chunks):
            if answer.status == NOT_MODIFIED and known:
                return answer, known.identity
            begun = True
            return answer, _stored(Snapshots(means.folder), chunks, options, means)
    except RetryableSourceError as error:
        # Who cannot wait for the end of what has begun to come learns that, and not that the source fails.
        if begun and error.code == "timeout":
            means.check_patience()
        raise


def head(options: FeedOptions, means: Means, target: BinaryIO, limit: int) -> tuple[str, bool]:
    """Fetch `limit` bytes or a little more; returns the feed's size for people, and whether this is all of it.

    Raises:
        FatalSourceError, RetryableSourceError: as `opened`.
    """
    with _asked(options, means, {}) as (answer, chunks):
        for chunk in chunks:
            if target.tell() >= limit:
                length = answer.headers.get("content-length", "")
                return f"{length} bytes on the way" if length.isascii() and length.isdigit() else "size unknown", False
            target.write(chunk)
    target.flush()
    return f"{target.tell()} bytes", True


@contextmanager
def _asked(options: FeedOptions, means: Means, conditions: dict[str, str]) -> Iterator[HttpStream]:
    """The answer, whose chunks are unpacked and bounded."""
    authorization = means.authorization()
    headers = conditions | ({"authorization": authorization} if authorization else {})
    client = HttpClient(means.allowed_hosts, total=means.seconds, max_bytes=means.max_bytes, until=means.until)
    with closing(client), _bounded(means), client.stream(options.url, headers) as (answer, chunks):
        if answer.status != OK and not (answer.status == NOT_MODIFIED and conditions):
            raise _refusal(answer, options.place)
        yield HttpStream(answer, _unpacked(chunks, means.max_bytes))


@contextmanager
def _bounded(means: Means) -> Iterator[None]:
    """Too large once is too large always."""
    try:
        yield
    except RetryableSourceError as error:
        if error.code != "body_too_large":
            raise
        raise FatalSourceError(
            f"the feed has more than {means.max_bytes} bytes, or is blown up",
            code="feed_too_large",
            suggestion="divide the feed, or raise FEED_DOWNLOAD_BYTES",
        ) from error


def _unpacked(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """The content of a .gz file, known by its first bytes; anything else as it is."""
    begin = b""
    for chunk in chunks:
        begin += chunk
        if len(begin) >= len(GZIP):
            break
    whole: Iterable[bytes] = chain([begin], chunks)
    return counted(gunzip(whole, limit), limit) if begin.startswith(GZIP) else iter(whole)


def _stored(store: Snapshots, chunks: Iterable[bytes], options: FeedOptions, means: Means) -> Identity:
    with store.incoming() as raw:
        digest = hashlib.sha256()
        for chunk in chunks:
            digest.update(chunk)
            raw.write(chunk)
        raw.flush()
        if find_encoding(raw, options.encoding).encoding != "utf-8":
            return store_text(store, raw, options.encoding, means.check_patience)
        raw.seek(0, 2)
        made = Identity(raw.tell(), 0, digest.hexdigest())
        store.keep(raw, name_of(made))
    return made


def _known(store: Snapshots, means: Means) -> State | None:
    file = store.open(means.key + STATE)
    if file is None:
        return None
    with file:
        try:
            return msgspec.json.decode(file.read(), type=State)
        except msgspec.DecodeError:
            return None


def _has(store: Snapshots, known: State) -> bool:
    file = store.open(name_of(known.identity))
    if file:
        file.close()
    return file is not None


def _refusal(answer: HttpAnswer, place: str) -> FatalSourceError | RetryableSourceError:
    message = f"{place} answered {answer.status}"
    match answer.status:
        case 408 | 425 | 429 | 500 | 502 | 503 | 504:
            return RetryableSourceError(message, code="server_error", retry_after=answer.retry_after())
        case 401 | 403:
            return FatalSourceError(
                message,
                code="feed_forbidden",
                suggestion="store or correct the access token of the source",
            )
        case 404 | 410:
            return FatalSourceError(message, code="feed_missing", suggestion="correct the option url")
        case 301 | 302 | 303 | 307 | 308:
            return FatalSourceError(
                message,
                code="feed_moved",
                suggestion="correct the option url; redirects are not followed",
            )
    return FatalSourceError(message, code="feed_refused", suggestion="correct the option url, or ask who serves it")
