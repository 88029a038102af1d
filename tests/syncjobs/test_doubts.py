"""What a plan cannot promise is told, and a lost permission does not cost what products have."""

import pytest

from products.models import Product, Sku
from products.records import SkuRecord
from syncjobs import log_texts
from syncjobs.connectors.alibaba1688 import doubts
from syncjobs.engine.contracts import Doubt
from syncjobs.models import SyncJob, SyncLog
from syncjobs.services.jobs import resume_sync
from tests.client import ApiClient
from tests.syncjobs.conftest import error_code, start, work
from tests.syncjobs.scripted import World

DRIFT = Doubt(
    code="order_drifts",
    message="the order of the search changed while it was read, offers may be missing",
    details={"count": 1, "examples": [{"keyword": "x", "total": 300, "seen": 288}]},
)


def test_doubts_stand_in_the_log_and_in_the_receipt(operate: ApiClient, source: object, world: World) -> None:
    world.offer(3)
    world.doubts = [DRIFT]
    job = work(start())
    line = SyncLog.objects.get(job_id=job.pk, message=DRIFT.message)
    assert (line.level, line.context["code"], line.context["examples"][0]["seen"]) == ("warning", "order_drifts", 288)
    (told,) = operate.get(f"sync/jobs/{job.task_id}")["doubts"]
    assert (told["code"], told["level"], told["details"]["count"]) == ("order_drifts", "warning", 1)


def test_every_doubt_has_a_sentence_that_is_translated() -> None:
    assert set(doubts.TEXTS.values()) <= set(log_texts.TEXTS)


def test_a_job_without_doubts_has_none(operate: ApiClient, source: object, world: World) -> None:
    world.offer(3)
    assert operate.get(f"sync/jobs/{work(start()).task_id}")["doubts"] == []


def test_a_walk_without_details_starts_a_catalogue(source: object, world: World) -> None:
    world.offer(3)
    world.shallow = True
    assert work(start()).state == SyncJob.State.SUCCEEDED
    assert work(start()).state == SyncJob.State.SUCCEEDED


@pytest.mark.parametrize("type_", ["full", "incremental"])
def test_a_walk_that_lost_its_details_does_not_take_the_skus_away(source: object, world: World, type_: str) -> None:
    world.offer(3)
    world.skus = (SkuRecord(source_sku_id="1"),)
    work(start())
    world.skus, world.shallow = (), True
    job = work(start(type=type_))
    assert (job.state, error_code(job)) == (SyncJob.State.FAILED, "details_lost")
    assert Sku.objects.count() == Product.objects.count() == 3
    world.shallow = False
    resume_sync(job.task_id)
    assert work(job).state == SyncJob.State.SUCCEEDED
