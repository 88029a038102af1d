"""A deleted product is shown again."""

import pytest
from django.db import transaction

from products.ingest.revert import revert
from products.models import Product, ProductChange
from system.models import AuditLog
from tests.client import ApiClient
from tests.products.records import apply, record

pytestmark = pytest.mark.django_db


def test_an_undone_creation_stays_hidden_for_syncs_and_comes_back_by_restore(writer: ApiClient) -> None:
    apply(record(), job_id=5)
    product = Product.objects.get()
    with transaction.atomic():
        revert(5, [product.pk])
    apply(record(title="新款"), job_id=6)
    writer.get(f"products/{product.pk}", expect=404)
    answer = writer.post(f"products/{product.pk}/restore")
    assert answer["title"] == "新款"
    assert ProductChange.objects.latest("id").kind == "restored"
    assert AuditLog.objects.filter(action="product.restore").count() == 1


def test_a_product_that_is_there_stays_as_it_is(writer: ApiClient) -> None:
    apply(record())
    product = Product.objects.get()
    assert writer.post(f"products/{product.pk}/restore")["version"] == product.version
    writer.post("products/999999/restore", expect=404)


def test_an_own_product_needs_its_sku_back(writer: ApiClient) -> None:
    first = writer.post("products", {"sku": "A", "title": "茶杯"}, expect=201)["id"]
    writer.delete(f"products/{first}", expect=204)
    second = writer.post("products", {"sku": "A", "title": "茶壶"}, expect=201)["id"]
    assert writer.post(f"products/{first}/restore", expect=409)["code"] == "E01001"
    writer.delete(f"products/{second}", expect=204)
    assert writer.post(f"products/{first}/restore")["sku"] == "A"
