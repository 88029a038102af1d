"""Many callers at once, on connections of their own: one of them wins, the others are told."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import OperationalError, connection

from accounts.models import User
from products.models import Product, ProductChange
from syncjobs.models import RejectedRecord, Source, SyncJob
from syncjobs.services.approval import approve_sync
from syncjobs.services.rejects import retry_reject
from syncjobs.services.undo import undo_sync
from system.errors import ApplicationError
from system.models import AuditLog
from tests.client import ApiClient
from tests.conftest import eventually
from tests.syncjobs.conftest import start, work
from tests.syncjobs.scripted import World

pytestmark = pytest.mark.django_db(transaction=True)

STARTS = 100
CALLERS = 8


@pytest.fixture(autouse=True)
def no_bells(monkeypatch: pytest.MonkeyPatch) -> None:
    """No broker is needed here."""
    monkeypatch.setattr("system.queue.current_app.send_task", lambda *_arguments, **_options: None)


def connected() -> bool:
    """A hundred connections at once take a busy machine more time than one may take to connect."""
    try:
        connection.ensure_connection()
    except OperationalError:
        return False
    return True


def all_at_once(count: int, call: Callable[[], Any]) -> list[Any]:
    """What `count` threads get that all begin at the same moment; a refusal counts as its status."""
    barrier = Barrier(count)

    def one() -> Any:
        eventually(connected)
        barrier.wait()
        try:
            return call()
        except ApplicationError as error:
            return error.status
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(one) for _ in range(count)]]


def test_of_a_hundred_starts_of_a_scope_one_runs_and_the_others_name_it(
    api: ApiClient, operator: User, source: Source, world: World
) -> None:
    token = api.as_(operator)._headers["Authorization"].removeprefix("Bearer ")

    def call() -> tuple[int, str]:
        response = ApiClient(token).send("POST", "sync/start", {"type": "full", "category_id": 7})
        body = response.json()
        named = body["data"] or body["error"]["details"]
        return response.status_code, named["task_id"]

    answers = all_at_once(STARTS, call)
    statuses = [status for status, _ in answers]
    assert (statuses.count(200), statuses.count(409)) == (1, STARTS - 1)
    assert {task_id for _, task_id in answers} == {SyncJob.objects.get().task_id}
    assert AuditLog.objects.filter(action="sync.start").count() == 1


def test_of_many_approvals_one_counts(source: Source, world: World) -> None:
    world.offer(10)
    work(start())
    for gone in ("100001", "100002", "100003"):
        world.prices.pop(gone)
    job = work(start())
    answers = all_at_once(CALLERS, lambda: approve_sync(job.task_id).state)
    assert sorted(map(str, answers)) == ["409"] * (CALLERS - 1) + ["running"]
    assert work(job).delisted == 3


def test_of_many_undos_each_product_is_put_back_once(run: SyncJob) -> None:
    answers = all_at_once(CALLERS, lambda: undo_sync(run.task_id).undone)
    assert sum(answers) == 2
    assert ProductChange.objects.filter(job_id=None).count() == 2


def test_of_many_retries_one_stores_the_record(run: SyncJob) -> None:
    RejectedRecord.objects.update(payload=b'["200002", "7.00"]')
    reject = RejectedRecord.objects.get()
    answers = all_at_once(CALLERS, lambda: retry_reject(run.task_id, reject.pk).outcome)
    assert set(answers) == {"created"}
    assert Product.objects.filter(source_id="200002").count() == 1
    run.refresh_from_db()
    assert (run.rejected, run.created, run.state) == (0, 2, "succeeded")
