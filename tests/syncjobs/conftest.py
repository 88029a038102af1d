"""A scripted source, and the means to run slices in this process."""

import uuid
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from accounts.services import create_user
from syncjobs.connectors import registry
from syncjobs.models import Source, SyncJob, Webhook
from syncjobs.services.jobs import StartSync, start_sync
from syncjobs.services.slices import run_slice
from syncjobs.services.webhooks import Owner, create_webhook
from system.models import Task, WorkerPulse
from system.queue import TaskContext
from tests.client import ApiClient
from tests.conftest import PASSWORD
from tests.syncjobs import scripted
from tests.syncjobs.hooks import Hook


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> scripted.World:
    """A fresh source to script."""
    monkeypatch.setitem(registry.CONNECTORS, "scripted", "tests.syncjobs.scripted:ScriptedConnector")
    monkeypatch.setattr(scripted, "world", scripted.World())
    return scripted.world


@pytest.fixture
def source(world: scripted.World, db: None) -> Source:
    """The scripted source, as the default; one complete walk that misses a product is enough to delist it.

    A worker is alive somewhere.
    """
    WorkerPulse.objects.create(worker="elsewhere", seen_at=timezone.now())
    return Source.objects.create(name="shop", kind="scripted", is_default=True, delist_after_walks=1)


@pytest.fixture
def operate(api: ApiClient, operator: User) -> ApiClient:
    """The API as an operator."""
    return api.as_(operator)


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody hears the workers' bells."""
    monkeypatch.setattr("system.queue.current_app.send_task", lambda *_, **__: None)


@pytest.fixture
def owner(settings: Settings) -> User:
    """An operator, who may have servers on this machine called."""
    settings.OUTBOUND_ALLOWED_HOSTS = ("127.0.0.1",)
    return create_user("hooked", "hooked@example.com", PASSWORD, role="operator")


@pytest.fixture
def follow(owner: User) -> Hook:
    """Makes webhooks that are told of products."""

    def make(url: str, events: Any = tuple(Webhook.KINDS), **filters: Any) -> Webhook:
        return create_webhook(Owner(owner.pk), f"{url}/hook", events, **filters)[0]

    return make


@pytest.fixture
def run(source: Source, world: scripted.World) -> SyncJob:
    """A second run, which changed one price, found one product more and rejected one."""
    world.offer(10)
    work(start())
    world.prices |= {"100001": "11.00", "200001": "5.00", "200002": "broken"}
    return work(start())


def path(job: SyncJob, rest: str) -> str:
    """An address below a job."""
    return f"sync/jobs/{job.task_id}/{rest}"


def start(**changes: Any) -> SyncJob:
    """Start a sync of the default source; full unless said otherwise."""
    return start_sync(StartSync(**{"type": "full", "batch_size": 10, **changes}))


def claimed_task(job: SyncJob) -> TaskContext:
    """A task row as a worker holds it."""
    task = Task.objects.create(kind="sync.slice", state="running", fence=1, job_id=job.pk)
    return TaskContext(task.pk, 1, job.pk)


def work(job: SyncJob, context: TaskContext | None = None) -> SyncJob:
    """Run one slice here and read the job again."""
    run_slice({"job_id": job.pk}, context or claimed_task(job))
    job.refresh_from_db()
    return job


def error_code(job: SyncJob) -> str:
    """Why the job ended as it did; "" without a reason."""
    return str((job.error or {}).get("code", ""))


def new_task_id() -> uuid.UUID:
    """An id no task has."""
    return uuid.uuid4()
