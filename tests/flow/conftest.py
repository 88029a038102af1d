"""The whole machine: a gateway, a source that points at it, workers, and a sweep in place of beat."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devstack.gateway.client import GatewayClient, running_gateway
from products.models import Product, Sku
from syncjobs.connectors.registry import Credentials
from syncjobs.models import Source, SyncJob
from syncjobs.services.jobs import StartSync, start_sync
from syncjobs.services.sources import NewSource, add_source
from system import queue, sql
from tests.conftest import HANG_SECONDS
from tests.flow.workers import Worker

SWEEP_SECONDS = 1


@pytest.fixture(scope="session")
def shared_gateway() -> Iterator[GatewayClient]:
    """One simulator for all flow tests of a process."""
    with running_gateway(products=2000, seed=7) as running:
        yield running


@pytest.fixture
def gateway(shared_gateway: GatewayClient) -> GatewayClient:
    """The simulator as new: 300 products, no faults."""
    shared_gateway.control("reset", products=300)
    return shared_gateway


def gateway_credentials(gateway: GatewayClient) -> Credentials:
    """What the simulator accepts."""
    return Credentials(
        app_key=gateway.app_key,
        app_secret=gateway.app_secret,
        access_token=gateway.access_token,
        refresh_token=gateway.refresh_token,
    )


@pytest.fixture
def source(gateway: GatewayClient, transactional_db: None, redis_url: str) -> Source:
    """The default source, pointing at the simulator."""
    new = NewSource(
        name="demo",
        kind="alibaba1688",
        options={"gateway_url": gateway.url},
        credentials=gateway_credentials(gateway),
        calls_per_second=500.0,
    )
    return add_source(new)


@pytest.fixture
def worker(source: Source, tmp_path: Path) -> Iterator[Worker]:
    """A running worker."""
    running = Worker(tmp_path / "worker.log")
    yield running
    running.stop()


def start(**changes: Any) -> SyncJob:
    """Start a sync of the default source in batches of 20; full unless said otherwise."""
    return start_sync(StartSync(**{"type": "full", "batch_size": 20, **changes}))


def finished(job: SyncJob, meanwhile: Callable[[], None] = lambda: None) -> SyncJob:
    """Wait until the job rests, sweeping as beat would; `meanwhile` is called again and again."""
    deadline = time.monotonic() + HANG_SECONDS
    sweep_at = 0.0
    while True:
        job.refresh_from_db()
        if job.state not in SyncJob.OPEN_STATES:
            return job
        assert time.monotonic() < deadline, f"{job.task_id} is still {job.state}: {job.processed} of {job.total}"
        if time.monotonic() >= sweep_at:
            queue.sweep()
            sweep_at = time.monotonic() + SWEEP_SECONDS
        meanwhile()
        time.sleep(0.05)


VOLATILE = {"id", "category_id", "shop_id", "product_id", "version", "synced_at", "created_at", "updated_at"}


def catalogue() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All products and SKUs, row by row, less what differs from run to run."""
    products = Product.objects.order_by("source_id").values()
    skus = Sku.objects.select_related("product").order_by("product__source_id", "source_sku_id")
    named = skus.values("product__source_id", *(f.attname for f in Sku._meta.fields))
    return [_stable(row) for row in products], [_stable(row) for row in named]


def _stable(row: Any) -> dict[str, Any]:
    return {
        name: bytes(value) if isinstance(value, memoryview) else value
        for name, value in row.items()
        if name not in VOLATILE
    }


RUN_TABLES = (
    "products_product",
    "products_sku",
    "products_productchange",
    "syncjobs_syncjob",
    "syncjobs_syncbatch",
    "syncjobs_seenproduct",
    "syncjobs_rejectedrecord",
    "syncjobs_watermark",
    "system_task",
)


def forget_catalogue() -> None:
    """Empty the catalogue and the record of runs, keeping the source."""
    for table in RUN_TABLES:
        sql.execute(f"TRUNCATE {table}")
