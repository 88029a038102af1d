"""DELETE products/{id} and POST products/{id}/purge."""

import pytest

from accounts.models import User
from products.models import Product, ProductChange, Sku
from system.models import AuditLog
from tests.client import ApiClient
from tests.products.bodies import body, own
from tests.products.records import apply, record

pytestmark = pytest.mark.django_db


@pytest.mark.shows("000/2 DELETE products/{id}", "002/DELETE items", "003/Story 1-3")
def test_a_deleted_product_is_hidden_and_kept(writer: ApiClient) -> None:
    path = f"products/{own().pk}"

    writer.delete(path)

    assert writer.get(path, expect=404) == writer.get("products/999999", expect=404)
    assert writer.get("products")["items"] == []
    assert Product.objects.get().deleted_at is not None
    assert list(ProductChange.objects.order_by("id").values_list("kind", flat=True)) == ["created", "deleted"]
    assert AuditLog.objects.filter(action="product.delete").count() == 1


def test_it_is_deleted_once(writer: ApiClient) -> None:
    path = f"products/{own().pk}"

    writer.delete(path)

    writer.delete(path, expect=404)
    for call, route in [(writer.put, path), (writer.patch, path), (writer.post, f"{path}/publish")]:
        call(route, {} if "publish" in route else body(), expect=404)
    assert ProductChange.objects.count() == 2


def test_a_sync_does_not_bring_it_back(writer: ApiClient) -> None:
    apply(record())
    writer.delete(f"products/{Product.objects.get().pk}")

    apply(record(title="newer"))

    assert Product.objects.get().deleted_at is not None


def test_an_admin_purges_what_was_deleted(writer: ApiClient, api: ApiClient, admin: User) -> None:
    apply(record(), record("other"))
    product = Product.objects.get(source_id="600000000001")
    writer.delete(f"products/{product.pk}")

    api.as_(admin).post(f"products/{product.pk}/purge", expect=204)

    assert list(Product.objects.values_list("source_id", flat=True)) == ["other"]
    assert not Sku.objects.filter(product_id=product.pk).exists()
    assert list(ProductChange.objects.filter(product_id=product.pk).values_list("kind", flat=True)) == ["deleted"]
    assert AuditLog.objects.get(action="product.purge").before == {"sku": product.sku, "title": product.title}
    api.as_(admin).post(f"products/{product.pk}/purge", expect=404)


def test_only_what_was_deleted_can_be_purged(api: ApiClient, admin: User) -> None:
    product = own()

    assert api.as_(admin).post(f"products/{product.pk}/purge", expect=409)["code"] == "E01008"
    assert Product.objects.count() == 1


def test_an_operator_cannot_purge(writer: ApiClient) -> None:
    path = f"products/{own().pk}"
    writer.delete(path)

    writer.post(f"{path}/purge", expect=403)
    assert Product.objects.count() == 1
