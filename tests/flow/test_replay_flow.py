"""A replay by real workers, and one whose workers are killed."""

from devstack.gateway.client import GatewayClient
from products.models import Product, ProductChange
from syncjobs.models import AnswerField, RawAnswer, Source
from syncjobs.services.replays import StartReplay, start_replay
from tests.conftest import eventually
from tests.flow.conftest import finished, start
from tests.flow.workers import Worker


def test_a_replay_survives_its_workers_and_does_everything_once(
    gateway: GatewayClient, source: Source, worker: Worker
) -> None:
    assert finished(start()).state == "succeeded"
    assert RawAnswer.objects.count() == 300
    eventually(lambda: AnswerField.objects.exists())
    stored = dict(Product.objects.values_list("source_id", "title"))
    Product.objects.update(fingerprint=b"", title="spoiled")
    before, calls = ProductChange.objects.count(), gateway.control("calls")
    job = start_replay(StartReplay(batch_size=5))
    eventually(lambda: ProductChange.objects.count() > before)
    worker.kill_children()
    assert finished(job).state == "succeeded"
    assert (job.updated, job.calls) == (300, 0)
    assert dict(Product.objects.values_list("source_id", "title")) == stored
    assert ProductChange.objects.filter(job_id=job.pk).count() == 300
    assert gateway.control("calls") == calls
