"""Check a feed source: its options, its mapping, its file, and how its first records map."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TypeVar

from syncjobs.connectors.feed.mapping import Mapping
from syncjobs.connectors.feed.opening import sampled
from syncjobs.connectors.feed.options import FeedOptions, read_options
from syncjobs.connectors.feed.readers import Piece, decode
from syncjobs.connectors.feed.storing import Means
from syncjobs.engine.contracts import ApiCheck, CheckReport
from syncjobs.engine.errors import FatalSourceError, RecordRejected, RetryableSourceError

SAMPLE_RECORDS = 100

T = TypeVar("T")


def check_feed(document: dict[str, Any], means: Means) -> CheckReport:
    """Whether a feed with these options can be synced, step by step up to the first that fails."""
    checks: list[ApiCheck] = []
    try:
        options = _step(checks, "options", lambda: read_options(document), lambda _: "the options are complete")
        mapping = _step(checks, "mapping", lambda: Mapping(options.mapping), lambda _: "the mapping is valid")
        pieces, _ = _step(checks, "file", lambda: _sample(options, means), lambda sample: sample[1])
    except _StepFailedError:
        return CheckReport(ok=False, checks=tuple(checks))
    checks.append(_check_records(mapping, pieces))
    return CheckReport(ok=checks[-1].ok, checks=tuple(checks))


class _StepFailedError(Exception):
    """The later steps have nothing to work on."""


def _step(checks: list[ApiCheck], name: str, run: Callable[[], T], message: Callable[[T], str]) -> T:
    try:
        result = run()
    except (FatalSourceError, RetryableSourceError) as error:
        action = getattr(error, "suggestion", "") or "look at the disk or the network, then check again"
        checks.append(ApiCheck(name=name, ok=False, code=error.code, message=error.message, action=action))
        raise _StepFailedError from error
    checks.append(ApiCheck(name=name, ok=True, message=message(result)))
    return result


def _sample(options: FeedOptions, means: Means) -> tuple[list[Piece], str]:
    with sampled(options, means) as (feed, whole, found):
        pieces = list(islice(feed.reader.pieces(0, feed.identity.size), SAMPLE_RECORDS + 1))
        # Where only the beginning was read its last record is cut off.
        kept = pieces if whole or len(pieces) > SAMPLE_RECORDS else pieces[:-1]
        return kept[:SAMPLE_RECORDS], f"{feed.format}, {found}"


def _check_records(mapping: Mapping, pieces: list[Piece]) -> ApiCheck:
    errors = list(_errors(mapping, pieces))
    mapped = len(pieces) - len(errors)
    message = f"{mapped} of the first {len(pieces)} records can be used"
    if not errors:
        return ApiCheck(name="records", ok=True, message=message)
    first = f"{message}; the first error: {errors[0].message}"
    if mapped:
        return ApiCheck(name="records", ok=True, code=errors[0].code, message=first)
    field = errors[0].field
    action = f"correct {field} in the mapping of the source" if field else "correct the file or the option format"
    return ApiCheck(name="records", ok=False, code=errors[0].code, message=first, action=action)


def _errors(mapping: Mapping, pieces: list[Piece]) -> Iterator[RecordRejected]:
    for number, piece in enumerate(pieces, start=1):
        if piece.reason:
            yield RecordRejected(f"record {number}: {piece.reason}", code="invalid_record", step="decode")
            continue
        try:
            mapping.product(decode(piece.payload))
        except ValueError as error:
            yield RecordRejected(f"record {number}: {error}", code="invalid_json", step="decode")
        except RecordRejected as error:
            yield RecordRejected(f"record {number}: {error.message}", code=error.code, field=error.field)
