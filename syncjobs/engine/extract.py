"""First stage: the pages of a batch, with a sign of life between them."""

from collections.abc import Iterator

from syncjobs.engine.contracts import BatchSpec, Connector, Heartbeat, Page


def extract(connector: Connector, spec: BatchSpec, heartbeat: Heartbeat) -> Iterator[Page]:
    """Yield the batch's pages; a stop or a lost lease is noticed before each call to the source.

    Raises:
        SyncCancelled, LeaseLost: from the heartbeat.
        RetryableSourceError, FatalSourceError, QuotaExhausted: from the source.
    """
    heartbeat()
    for page in connector.fetch(spec):
        yield page
        heartbeat()
