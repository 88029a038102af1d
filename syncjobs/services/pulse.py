"""Signs of life of a slice: between records by the worker itself, during a long wait by a thread beside it."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from syncjobs.engine.errors import LeaseLost, SyncCancelled
from syncjobs.models import SyncJob
from syncjobs.services import announce, batches
from syncjobs.services.batches import Claim
from system import leaving
from system.queue import TaskContext, TaskGone, WorkerStopping

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
LEASE_SHARE = 5  # leases are extended five times before they would end


def look_whether_told_to_stop() -> None:
    """Raises WorkerStopping: this worker was told to stop, and what it does takes too long for that."""
    if leaving.seconds() > leaving.FINISH_SECONDS:
        raise WorkerStopping("the worker was told to stop")


class Pulse:
    """The engine's heartbeat: cheap to call between records, looks at the job every second, extends leases in time.

    Attributes:
        ahead: the batch that is read beside the one in hand; its lease is kept as well.
    """

    def __init__(self, context: TaskContext) -> None:
        self.ahead: Claim | None = None
        self._context = context
        self._claim: Claim | None = None
        self._look_at = 0.0
        self._extend_at = 0.0
        self._moved: int | None = None
        self._show_at = 0.0

    @contextmanager
    def holding(self, claim: Claim) -> Iterator[None]:
        """Keep this batch, whose lease is fresh; also while its worker waits for a slow answer or reads a long file."""
        self._claim = claim
        over = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(claim, over), name="lease-keeper", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            over.set()
            keeper.join()

    def __call__(self) -> None:
        """Look whether to go on.

        Raises:
            SyncCancelled: the job was asked to stop.
            LeaseLost, TaskGone: somebody else has the batch or the slice.
            WorkerStopping: this worker was told to stop, and the batch takes too long for that.
        """
        look_whether_told_to_stop()
        if self._claim and time.monotonic() >= self._look_at:
            self.look()

    def look(self) -> None:
        """Look at the job now. Raises as above."""
        if self._claim is None:
            return
        now = time.monotonic()
        self._look_at = now + LOOK_SECONDS
        self.show()
        if batches.job_state(self._claim.job_id) != SyncJob.State.RUNNING:
            raise SyncCancelled("the job was asked to stop")
        if now >= self._extend_at:
            self._extend_at = now + settings.SYNC_LEASE_SECONDS / LEASE_SHARE
            self._extend(self._claim)

    def moved(self) -> None:
        """A batch is done: watchers are shown where the job stands, unless they were a moment ago."""
        self._moved = self._claim.job_id if self._claim else None
        if time.monotonic() >= self._show_at:
            self.show()

    def show(self) -> None:
        """Show what nobody was shown yet."""
        job_id, self._moved = self._moved, None
        if job_id is not None:
            self._show_at = time.monotonic() + 1 / settings.LIVE_PROGRESS_PER_SECOND
            announce.progress(job_id)

    def _extend(self, claim: Claim) -> None:
        if ahead := self.ahead:
            # First, since the other row may be locked by its commit. Whoever writes this one finds out if it is lost.
            with suppress(LeaseLost):
                batches.extend_lease(ahead)
        batches.extend_lease(claim)
        self._context.heartbeat(settings.SYNC_LEASE_SECONDS)

    def _keep(self, claim: Claim, over: threading.Event) -> None:
        """The thread: on a connection of its own, which most batches are too quick to need."""
        try:
            while not over.wait(settings.SYNC_LEASE_SECONDS / LEASE_SHARE):
                self._try_to_extend(claim)
        except (LeaseLost, TaskGone) as error:
            logger.info("batch %s/%s is kept no longer: %s", claim.job_id, claim.number, error)
        finally:
            connection.close()

    def _try_to_extend(self, claim: Claim) -> None:
        """A database that is away, or busy committing this very batch, is asked again in time."""
        try:
            self._extend(claim)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("lease of batch %s/%s not extended: %s", claim.job_id, claim.number, error)
            connection.close()
