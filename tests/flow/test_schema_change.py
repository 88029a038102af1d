"""The platform changes what it says: nothing breaks, the report names it, and a fix of the mapping brings all back."""

from collections.abc import Callable
from typing import Any

import pytest

from devstack.gateway.client import GatewayClient
from products.models import Product
from products.records import ProductRecord
from syncjobs.connectors.alibaba1688 import mapping
from syncjobs.connectors.alibaba1688.connector import Alibaba1688Connector
from syncjobs.engine.contracts import RawRecord
from syncjobs.models import JobCalls, RejectedRecord, Source, SyncJob, SyncLog
from syncjobs.selectors.drift import findings
from syncjobs.services import drift
from syncjobs.services.replays import StartReplay, start_replay
from tests.flow.conftest import start
from tests.syncjobs.conftest import claimed_task, work


def synced(**changes: Any) -> SyncJob:
    """A whole sync in this process, and the look at what it heard."""
    job = start(**changes)
    while job.state == SyncJob.State.RUNNING:
        work(job)
    drift.look({"job_id": job.pk}, claimed_task(job))
    return job


def told(source: Source, job: SyncJob) -> dict[str, set[str]]:
    """The paths that have changed with a job, by kind of change."""
    found: dict[str, set[str]] = {}
    for each in findings(source.name):
        if each.job_id == job.pk:
            found.setdefault(each.change, set()).add(each.path)
    return found


@pytest.mark.parametrize("kind", ["extra_fields", "null_lists", "wrong_types"])
def test_odd_answers_break_nothing_and_are_told(gateway: GatewayClient, source: Source, kind: str) -> None:
    assert synced().state == "succeeded"
    gateway.faults({"kind": kind, "share": 0.5})
    job = synced()
    assert job.state in ("succeeded", "partial")
    changed = told(source, job)
    assert SyncLog.objects.get(job=job, message=drift.CHANGED).level == "warning"
    if kind == "extra_fields":
        assert {"brandNewField", "unknownFlag", "skuInfos[].skuLabel"} <= changed["new"]
    else:
        assert changed["changed"]


def test_after_a_fix_a_replay_brings_in_what_was_rejected(
    gateway: GatewayClient, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.faults({"kind": "bad_record", "share": 0.2})
    job = synced()
    rejected = job.rejected
    assert job.state == "partial"
    assert rejected > 20
    reject = RejectedRecord.objects.filter(job=job).first()
    assert reject is not None
    assert reject.source_id.encode() in bytes(reject.payload)
    products, calls = Product.objects.count(), gateway.control("calls")
    fix(monkeypatch, mapping.map_product)
    replay = start_replay(StartReplay())
    while replay.state == SyncJob.State.RUNNING:
        work(replay)
    assert (replay.state, replay.created, replay.rejected) == ("succeeded", rejected, 0)
    assert Product.objects.count() == products + rejected
    assert gateway.control("calls") == calls
    assert not JobCalls.objects.filter(job_id=replay.pk).exists()
    assert JobCalls.objects.get(job_id=job.pk, api="alibaba.product.list.get").calls > 1


def fix(monkeypatch: pytest.MonkeyPatch, usual: Callable[[bytes], ProductRecord]) -> None:
    """From now on a product without a title or with a price in words is taken, too."""

    def lenient(_self: Alibaba1688Connector, raw: RawRecord) -> ProductRecord:
        payload = raw.payload.replace(b'"subject":null', b'"subject":"-"').replace("价格面议".encode(), b"1")
        return usual(payload)

    monkeypatch.setattr(Alibaba1688Connector, "normalize", lenient)
