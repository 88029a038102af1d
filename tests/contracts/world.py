"""A small world in which every route has something to answer."""

import zlib
from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.services import NewKey, create_key, create_user, delete_user, open_session
from products.ingest import stamps
from products.models import Category, Product, ProductChange, Shop, Sku
from products.search import upkeep
from syncjobs.models import RawAnswer, RejectedRecord, Source, SyncJob, SyncLog, WebhookDelivery
from syncjobs.services.schedules import create_schedule
from syncjobs.services.webhooks import Owner, create_webhook
from system.models import Task
from tests.conftest import PASSWORD

HOOKED = ["job.finished", "product.updated"]
ROLE_OF = {"plain_user": "", "viewer": "viewer", "operator": "operator", "admin": "admin"}

People = dict[str, User]


def populate() -> People:
    """One user a role."""
    names = {"plain_user": "plain"}
    return {
        who: create_user(name := names.get(who, who), f"{name}@example.com", PASSWORD, role=role)
        for who, role in ROLE_OF.items()
    }


def furnish(rows: int, people: People) -> dict[str, Any]:
    """Make `rows` rows of everything; names of what exists then."""
    session = open_session(people["plain_user"])
    key, _secret = create_key(people["operator"].pk, NewKey(name="contract"))
    deleted = create_user("deleted", "deleted@example.com", PASSWORD)
    delete_user(deleted.pk)
    return _fill(rows, people["operator"]) | {
        "password": PASSWORD,
        "refresh_token": session["refresh_token"],
        "key": key.pk,
        "deleted_user": deleted.pk,
    }


def _fill(rows: int, operator: User) -> dict[str, Any]:
    options = {"path": "/nowhere/offers.ndjson", "mapping": {"id": "id", "title": "title"}}
    source = Source.objects.create(name="contract", kind="feed", is_default=True, options=options)
    categories = [_category(number) for number in range(1, rows + 1)]
    products = [_product(number, category) for number, category in enumerate(categories)]
    shops = [Shop.objects.create(source="contract", source_id=str(number), name="店") for number in range(rows)]
    for product in products:
        ProductChange.objects.create(product=product, kind="updated", fields={"price": [1, 2]})
        ProductChange.objects.create(product=products[0], kind="updated", fields={"stock": [1, 2]})
    deleted = Product.objects.create(sku="deleted", title="旧茶杯", deleted_at=timezone.now())
    stamps.recount()
    for number in range(rows):
        _job(source, f"sync_20250101_{number + 1:03d}", SyncJob.State.SUCCEEDED)
    running = _job(source, "sync_20250102_001", SyncJob.State.RUNNING)
    stopped = _job(source, "sync_20250103_001", SyncJob.State.STOPPED)
    for _ in range(rows):
        task = Task.objects.create(kind="test.echo", job_id=running.pk, attempts=[{"worker": "w"}])
        failed = Task.objects.create(kind="test.echo", state=Task.State.FAILED)
    people = [create_user(f"person_{number}", f"{number}@example.com", PASSWORD) for number in range(rows)]
    held = _job(source, "sync_20250104_001", SyncJob.State.HELD)
    SyncJob.objects.filter(pk=held.pk).update(error={"code": "delist_limit"})
    rejects = [_run_row(running, stopped, product) for product in products]
    raw = [_raw_answer(stopped, number) for number in range(rows)]
    return {
        "product": products[0].pk,
        "sku": Sku.objects.get(product=products[0]).pk,
        "deleted_product": deleted.pk,
        "category": categories[0].pk,
        "shop": shops[0].pk,
        "export": Task.objects.create(kind="products.export", payload={"user_id": operator.pk, "format": "csv"}).pk,
        "task": task.pk,
        "failed_task": failed.pk,
        "running": running.task_id,
        "stopped": stopped.task_id,
        **_resources(rows, operator),
        "held": held.task_id,
        "user": people[0].pk,
        "reject": rejects[0].pk,
        "raw": raw[0].pk,
    }


def _resources(rows: int, operator: User) -> dict[str, Any]:
    """What a sync is set up with: unused sources, schedules, the operator's webhooks and what the first was sent."""
    sources = [Source.objects.create(name=f"unused-{number}", kind="feed") for number in range(rows)]
    schedules = [create_schedule({"name": f"hourly {number}", "every_seconds": 3600}) for number in range(rows)]
    owner = Owner(operator.pk)
    hooks = [create_webhook(owner, "https://8.8.8.8/hook", HOOKED)[0] for _ in range(min(rows, 19))]
    sent = [
        WebhookDelivery.objects.create(webhook=hooks[0], event="job.finished", body="{}", state="dead")
        for _ in range(rows)
    ]
    return {
        "unused": sources[0].pk,
        "schedule": schedules[0].pk,
        "webhook": hooks[0].pk,
        "delivery": sent[0].pk,
    }


def _category(number: int) -> Category:
    return Category.objects.create(id=number, name=f"c{number}", path=f"c{number}", ancestors=[number])


def _product(number: int, category: Category) -> Product:
    product = Product.objects.create(
        source="contract",
        source_id=str(number),
        sku=f"contract-{number}",
        title=f"茶杯 {number}",
        category=category,
        price="99.90",
        status=Product.Status.PUBLISHED,
        images=["https://img.example.com/1.jpg"],
        owned_fields=["unit"],
        source_values={"unit": "件"},
        conflicts=["unit"],
        conflicts_at=timezone.now(),
    )
    Sku.objects.create(product=product, source_sku_id="1", price="99.90", spec={"颜色": "红"})
    upkeep.refresh([product.pk])
    return product


def _run_row(running: SyncJob, stopped: SyncJob, product: Product) -> RejectedRecord:
    """A log line of one job, a change and a rejected record of the other."""
    SyncLog.objects.create(job=running, message="sync started", context={"status": "running"})
    ProductChange.objects.create(product=product, kind="updated", fields={"stock": [1, 0]}, job_id=stopped.pk)
    payload = b'{"id": "610947572360", "title": "cup"}'
    return RejectedRecord.objects.create(
        job=stopped, source="contract", step="normalize", code="invalid_price", message="no price", payload=payload
    )


def _raw_answer(job: SyncJob, number: int) -> RawAnswer:
    """What the source said of a product."""
    payload = zlib.compress(b'{"id": "610947572360"}')
    return RawAnswer.objects.create(
        source="contract", source_id=str(number), digest=bytes(16), size=22, payload=payload, job_id=job.pk
    )


def _job(source: Source, task_id: str, state: str) -> SyncJob:
    return SyncJob.objects.create(
        task_id=task_id, source=source, type=SyncJob.Type.FULL, state=state, scope=task_id, started_at=timezone.now()
    )
