"""Rows to look at, and a browser-like client that watches for lazy loads."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import zeal
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from products.models import Category, Product, ProductChange, Shop, Sku
from syncjobs.connectors.registry import Credentials
from syncjobs.models import RejectedRecord, Source, SyncBatch, SyncJob, SyncLog, Watermark
from syncjobs.services.sources import NewSource, add_source
from system.models import Task, WorkerPulse

CANARY = "s3cret-canary"
FOUND = 302
SIGNED_IN = ("accounts.User", "sessions.Session")


@contextmanager
def watched() -> Generator[None]:
    """Relations loaded one by one raise; a page of a user reads them beside the one who is signed in."""
    with zeal.zeal_context(), zeal.zeal_ignore([{"model": name, "field": "*"} for name in SIGNED_IN]):
        yield


class Pages:
    """The back office as one user sees it."""

    def __init__(self, user: User | None = None, language: str = "zh-hans") -> None:
        self._client = Client()
        self._headers = {"Accept-Language": language}
        if user is not None:
            self._client.force_login(user)

    def get(self, address: str, *, expect: int = 200, **query: str) -> str:
        """The text of a page."""
        return self._text(self.send("GET", address, query_params=query), expect)

    def post(self, address: str, data: dict[str, Any] | None = None, *, expect: int = 200) -> str:
        """Send a form; the page it leads to."""
        with watched():
            answer: Any = self._client.post(address, data or {}, headers=self._headers)
        if answer.status_code == FOUND:
            return self.get(answer.headers["Location"], expect=expect)
        return self._text(answer, expect)

    def send(self, method: str, address: str, **request: Any) -> Any:
        """The plain answer."""
        with watched():
            answer: Any = self._client.generic(method, address, headers=self._headers, **request)
        return answer

    @staticmethod
    def _text(answer: Any, expect: int) -> str:
        text: str = answer.content.decode()
        assert answer.status_code == expect, f"{answer.status_code} {answer.headers}\n{text[:3000]}"
        return text


def list_of(model: type[Any]) -> str:
    """The address of a table's list."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page_of(row: Any) -> str:
    """The address of one row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def deed_on(row: Any, deed: str) -> str:
    """The address that does something to a row."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_do", args=[row.pk, deed])


@pytest.fixture
def pages() -> type[Pages]:
    """Make the back office of a user."""
    return Pages


@pytest.fixture
def source(db: None) -> Source:
    """A source with stored secrets that hold the canary."""
    return add_source(
        NewSource(
            name="shop-a",
            kind="alibaba1688",
            options={"gateway_url": "http://127.0.0.1:1/"},
            credentials=Credentials(
                app_key="12345", app_secret=CANARY, access_token=f"{CANARY}-access", refresh_token=f"{CANARY}-refresh"
            ),
        )
    )


def make_product(number: int, **values: Any) -> Product:
    """A product with a category, a shop, a SKU and a change of its own."""
    category = Category.objects.create(id=number, name=f"类目{number}", path=f"服装 / 类目{number}", ancestors=[number])
    shop = Shop.objects.create(source="shop-a", source_id=f"s{number}", name=f"店铺{number}")
    given: dict[str, Any] = {
        "source": "shop-a",
        "source_id": str(600_000 + number),
        "sku": f"1688-{600_000 + number}",
        "title": f"夏季连衣裙 {number}",
        "category": category,
        "shop": shop,
        "price": Decimal("12.50"),
        "price_tiers": [{"start_quantity": 2, "price": "12.50"}],
        "stock": 5,
        "images": ["https://cbu01.alicdn.com/img/1.jpg"],
        "attributes": {"颜色": ["红", "蓝"]},
        "status": Product.Status.PUBLISHED,
        "url": f"https://detail.1688.com/offer/{600_000 + number}.html",
    }
    product = Product.objects.create(**(given | values))
    Sku.objects.create(product=product, source_sku_id=f"k{number}", spec={"尺码": "M"}, price=Decimal("12.50"), stock=5)
    ProductChange.objects.create(product=product, kind=ProductChange.Kind.UPDATED, fields={"price": ["13.00", "12.50"]})
    return product


def make_job(source: Source, number: int, **values: Any) -> SyncJob:
    """A job with a batch, a log line and a rejected record."""
    given: dict[str, Any] = {
        "task_id": f"sync_20250131_{number:03d}",
        "source": source,
        "type": SyncJob.Type.FULL,
        "state": SyncJob.State.PARTIAL,
        "scope": str(number),
        "total": 100,
        "processed": 100,
        "created": 60,
        "rejected": 1,
        "started_at": timezone.now() - timedelta(seconds=40),
        "finished_at": timezone.now(),
    }
    job = SyncJob.objects.create(**(given | values))
    SyncBatch.objects.create(job=job, number=0, stage=SyncBatch.Stage.PLAN, state=SyncBatch.State.DONE)
    SyncLog.objects.create(job=job, message="sync started", context={"pages": 3})
    RejectedRecord.objects.create(
        job=job,
        source=source.name,
        source_id=str(number),
        step="normalize",
        code="invalid_record",
        message="price missing",
        payload=b'{"subject": "x"}',
    )
    return job


Rows = Callable[[int], dict[type[Any], Any]]


@pytest.fixture
def rows(source: Source) -> Rows:
    """Fill every table with so many rows; returns one of each."""

    def fill(count: int) -> dict[type[Any], Any]:
        last: dict[type[Any], Any] = {Source: source}
        for number in range(1, count + 1):
            product, job = make_product(number), make_job(source, number)
            last |= {Product: product, Category: product.category, Shop: product.shop, SyncJob: job}
            last[Task] = Task.objects.create(kind="syncjobs.slice", job_id=job.pk)
            last[WorkerPulse] = WorkerPulse.objects.create(worker=f"worker-{number}")
            last[Watermark] = Watermark.objects.create(
                source="shop-a", scope=str(number), value=timezone.now(), job_id=job.pk
            )
        for model in (SyncBatch, SyncLog, RejectedRecord):
            last[model] = model._default_manager.latest("id")
        return last

    return fill
