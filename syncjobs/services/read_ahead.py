"""While a batch is written, the next one is read: fetched, recalled and mapped by a thread of its own, one batch ahead.

What was read ahead and is not written is given back, and read again by whoever claims it. A worker that dies leaves
open which of its two batches is to blame, so both are blamed once; a batch that is blamed is not read ahead any more,
and nothing is read beside it, so the next worker that dies of it dies of it alone.
"""

import contextvars
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import NamedTuple, Self

import msgspec
from django.db import DatabaseError, InterfaceError, connection, connections

from syncjobs.engine.contracts import BatchSpec, Connector, Heartbeat
from syncjobs.engine.errors import SyncCancelled
from syncjobs.engine.normalize import Normalized
from syncjobs.engine.pipeline import read_batch
from syncjobs.services import batches
from syncjobs.services.answer_memory import AnswerMemory
from syncjobs.services.batches import Claim
from syncjobs.services.kept_answers import KeptAnswers
from syncjobs.services.pulse import LOOK_SECONDS, Pulse, look_whether_told_to_stop

# How long the reader may run on when the writer could: the default of 5 ms is ten times what a statement takes.
SWITCH_SECONDS = 0.0005


class Reading(NamedTuple):
    """A batch that was read, and what was recalled of its bytes."""

    normalized: Normalized
    memory: AnswerMemory


class ReadAhead:
    """Reads the batches of one slice.

    Args:
        claim_next: claims a batch that no worker was lost with; None when there is none, or it is time to make room.

    Attributes:
        claim: the batch that is read ahead and was not taken yet.
    """

    def __init__(self, connector: Connector, pulse: Pulse, claim_next: Callable[[], Claim | None]) -> None:
        self.claim: Claim | None = None
        self._connector, self._pulse, self._claim_next = connector, pulse, claim_next
        self._thread = ThreadPoolExecutor(1, "reader")
        self._over = threading.Event()
        self._read: Future[Reading] | None = None

    def __enter__(self) -> Self:
        self._switch_seconds = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        """End the thread and its connection to the database; what it has read is lost."""
        self._stop()
        self._thread.submit(connections.close_all)
        self._thread.shutdown()
        sys.setswitchinterval(self._switch_seconds)
        if self.claim:
            _give_back(self.claim)

    def take(self, claim: Claim) -> Reading:
        """The batch as it was read ahead, or read now; begins to read the next one.

        Raises:
            EngineError: as `read_batch`, or from the pulse.
        """
        is_read = claim is self.claim
        reading = self._await(self._read) if is_read and self._read else self._reading(claim, self._pulse)
        if not (self._may_go_on(claim) and self._begin()) and is_read:
            # It was claimed a batch ago.
            self._pulse.look()
        return reading

    def _await(self, read: "Future[Reading]") -> Reading:
        self.claim = self._pulse.ahead = None
        try:
            while not wait([read], LOOK_SECONDS).done:
                self._pulse()
        except BaseException:
            self._stop()
            raise
        return read.result()

    def _stop(self) -> None:
        """The connector is for one thread at a time."""
        if self._read:
            self._over.set()
            wait([self._read])
            self._over.clear()

    def _may_go_on(self, claim: Claim) -> bool:
        """A replay remembers one batch at a time; inside a transaction the thread would not see what we see."""
        return not (claim.crashes or isinstance(self._connector, KeptAnswers) or connection.in_atomic_block)

    def _begin(self) -> bool:
        claim = self.claim = self._pulse.ahead = self._claim_next()
        if claim:
            self._read = self._thread.submit(contextvars.copy_context().run, self._reading, claim, self._check)
        return claim is not None

    def _reading(self, claim: Claim, heartbeat: Heartbeat) -> Reading:
        memory = AnswerMemory(claim.source, self._connector.edition)
        spec = msgspec.convert(claim.params, BatchSpec)
        return Reading(read_batch(self._connector, spec, heartbeat, memory), memory)

    def _check(self) -> None:
        """The thread's heartbeat; leases are kept, and the job is looked at, by who writes."""
        look_whether_told_to_stop()
        if self._over.is_set():
            raise SyncCancelled("the slice is over")


def _give_back(claim: Claim) -> None:
    """A database that is away frees the batch later, by its lease or with the next attempt of the slice."""
    try:
        batches.give_back(claim)
        batches.plead(claim)
    except (DatabaseError, InterfaceError):
        connection.close()
