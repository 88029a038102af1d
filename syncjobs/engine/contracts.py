"""What the engine expects of a source, and the values that travel between its stages. Pure Python."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec

from products.records import CategoryRecord, ProductRecord

BATCH_SIZE = 100
SyncType = Literal["full", "incremental"]


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What one job covers.

    `category_id` is the platform's number. `offer_ids` limits the job to these products. `since` (UTC) is the
    committed watermark less the overlap, or the beginning of a window that ends before `until`; None for a full walk.
    `batch_size` is the number of records in a batch.
    """

    type: SyncType
    category_id: int | None = None
    offer_ids: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    batch_size: int = BATCH_SIZE


class BatchSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One unit of work: enough, as plain JSON values, to fetch the same records again after any crash.

    `expected` records and `calls` to the source are estimates.
    """

    params: dict[str, Any]
    expected: int = 0
    calls: int = 0


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """Why a walk may miss something, or does not do what one might think; the log and the receipt of the job say it.

    `message` is a fixed sentence, so that it can be translated; what it is about stands in `details`.
    """

    code: str
    message: str
    level: Literal["info", "warning"] = "warning"
    details: dict[str, Any] = {}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How to walk a scope.

    `total` is what the source says it holds (None = unknown until walked). `provable` is True when a walk over all
    batches can prove it saw everything, provided that every page repeats `total`. `watermark` (UTC, the source's
    clock) becomes the next `since` once the whole job is committed. `batches` may be lazy; `doubts`, and `calls`, what
    planning took of the source, are complete when they were all taken. `shallow`: the records lack what details would
    tell, and nobody has chosen that.
    """

    batches: Iterable[BatchSpec]
    total: int | None = None
    provable: bool = False
    watermark: datetime | None = None
    doubts: Sequence[Doubt] = ()
    calls: Callable[[], int] = int
    shallow: bool = False


class RawRecord(msgspec.Struct, frozen=True, gc=False):
    """One product's own bytes as the source sent them. `source_id` is None when they do not even say which."""

    payload: bytes
    source_id: str | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of the source: its records, ids it says are gone, and the total it claims at this moment.

    `rejected` are pieces that could not be decoded as a record at all: (raw bytes, reason).
    `position` is connector-defined progress inside the batch, for logs only.
    """

    records: tuple[RawRecord, ...] = ()
    gone: tuple[str, ...] = ()
    rejected: tuple[tuple[bytes, str], ...] = ()
    total: int | None = None
    calls: int = 1


class ApiCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a source check. `ok` means that the walk can run as far as this line goes.

    `action` says what the operator must do next. `state` is a word for it, such as `not_granted`. `effect` names what
    follows from it and `details` holds the numbers in that sentence; whoever shows it has the words for `code` and
    `effect`, `message` and `action` are the English ones.
    """

    name: str
    ok: bool
    code: str = ""
    message: str = ""
    action: str = ""
    state: str = ""
    effect: str = ""
    details: dict[str, int] = {}


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a source can be used. `latency_ms` is one signed round trip; `abilities` say what works and what not."""

    ok: bool
    checks: tuple[ApiCheck, ...]
    latency_ms: float | None = None
    abilities: dict[str, bool] = {}


class Connector(Protocol):
    """A source of products. Every connector passes `tests/connectors/test_conformance.py`.

    A connector holds no Django objects: `syncjobs.connectors.registry.build` hands it plain configuration.
    All methods raise only `syncjobs.engine.errors`. It is used by one thread at a
    time, but for `normalize`, and closed by its user.

    Attributes:
        edition: another one as soon as `normalize` may make another record of the same bytes
            (`syncjobs.engine.editions.edition`); b"" = never take the same bytes for the same record.
        batch_size: records of a batch where nobody chose; as few as pay where a batch that is lost costs calls.
    """

    kind: str
    batch_size: int

    @property
    def edition(self) -> bytes:
        """See above."""
        ...

    def check(self) -> CheckReport:
        """Probe reachability, credentials and the permission for each API the connector needs. Never raises."""
        ...

    def categories(self) -> Iterator[CategoryRecord]:
        """The source's category tree, parents before children; empty when the source has none."""
        ...

    def plan(self, scope: Scope) -> Plan:
        """Split the scope into batches of about `scope.batch_size` records."""
        ...

    def fetch(self, spec: BatchSpec) -> Iterator[Page]:
        """The pages of one batch, lazily; the same spec may be fetched again at any time. It always ends."""
        ...

    def normalize(self, raw: RawRecord) -> ProductRecord:
        """Map one record. Pure and repeatable; two threads may do so at once.

        Raises:
            RecordRejected: with code, field and reason.
        """
        ...

    def close(self) -> None:
        """Free sockets and files. May be called twice."""
        ...


Heartbeat = Callable[[], None]
"""Called between records: extends the lease, raises SyncCancelled when the job stops or LeaseLost when it is gone."""
