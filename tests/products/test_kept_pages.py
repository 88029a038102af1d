"""Lists that did not change are answered without reading a product, and say exactly what they said."""

from typing import Any

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import User
from products.api.serializers import ListedProductSerializer
from products.models import Product
from system.api.kept_pages import kept_pages
from system.api.renderers import dumps
from tests.client import ApiClient
from tests.products.records import SOURCE, apply, record, sku

pytestmark = pytest.mark.django_db

VERSIONS = ("v1", "v2")
LISTS = ("products?limit=2", "products?limit=2&offset=2", "products?category=耳机", "products/search?q=耳机")


@pytest.fixture(autouse=True)
def three(db: None) -> None:
    """Three products."""
    apply(*(record(str(number), price=number) for number in range(1, 4)))


def answer(client: ApiClient, path: str) -> tuple[bytes, dict[str, str]]:
    """The data of an answer as they were sent, and the headers that belong to them."""
    response = client.send("GET", path)
    assert response.status_code == 200
    body = orjson.loads(response.content)
    for name in ("timestamp", "request_id", "requestId"):
        body.pop(name, None)
    return orjson.dumps(body), {name: response.headers.get(name, "") for name in ("ETag", "Link")}


@pytest.fixture
def callers(plain_user: User) -> dict[str, ApiClient]:
    """Somebody who calls each version."""
    return {version: ApiClient(version=version).as_(plain_user) for version in VERSIONS}


def reads_products(client: ApiClient, path: str, **headers: str) -> bool:
    """Whether answering touches a product."""
    with CaptureQueriesContext(connection) as queries:
        client.send("GET", path, headers=headers)
    return any("products_product " in query["sql"] for query in queries)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_kept_answer_is_the_answer_that_was_read(version: str, path: str, callers: dict[str, ApiClient]) -> None:
    client = callers[version]
    read = answer(client, path)

    assert answer(client, path) == read
    assert not reads_products(client, path)
    kept_pages.forget()
    assert reads_products(client, path)
    assert answer(client, path) == read


@pytest.mark.parametrize("path", LISTS)
def test_a_304_reads_no_product(path: str, reader: ApiClient) -> None:
    etag = reader.send("GET", path).headers["ETag"]
    kept_pages.forget()

    assert not reads_products(reader, path, **{"If-None-Match": etag})


def test_the_items_kept_are_what_the_serializer_documents(reader: ApiClient) -> None:
    stored = list(Product.objects.select_related("category", "shop").order_by("-id"))
    documented = orjson.loads(dumps(ListedProductSerializer(stored, many=True).data))

    for _ in ("read", "kept"):
        assert reader.get("products")["items"] == documented


def test_each_spelling_of_a_query_keeps_its_own_links(reader: ApiClient) -> None:
    one = reader.send("GET", "products?page_size=1&in_stock=true")
    other = reader.send("GET", "products?in_stock=true&page_size=1")

    assert one.headers["ETag"] == other.headers["ETag"]
    assert "page_size=1&in_stock=true&page=2" in one.headers["Link"]
    assert "in_stock=true&page_size=1&page=2" in other.headers["Link"]


def test_versions_and_pages_have_etags_of_their_own(callers: dict[str, ApiClient]) -> None:
    etags = [client.send("GET", path).headers["ETag"] for client in callers.values() for path in LISTS]

    assert len(set(etags)) == len(etags)


def test_the_cache_stays_within_its_bytes(settings: Settings, reader: ApiClient) -> None:
    settings.LIST_CACHE_MB = 0
    kept_pages.forget()
    reader.get("products")

    assert reads_products(reader, "products")


def test_the_etag_of_a_detail_follows_what_it_shows(reader: ApiClient) -> None:
    product = Product.objects.get(source_id="1")
    path = f"products/{product.pk}"
    seen = [reader.send("GET", path).headers["ETag"]]
    changes: list[dict[str, Any]] = [
        {"stock": 7},
        {"skus": (sku("a"), sku("b"))},
        # Nothing of the product itself, but another order of its SKUs.
        {"skus": (sku("b"), sku("a"))},
    ]

    for change in changes:
        apply(record("1", price=1, **change))
        seen.append(reader.send("GET", path).headers["ETag"])
        assert reader.send("GET", path, headers={"If-None-Match": seen[-2]}).status_code == 200

    assert len(set(seen)) == len(seen)


def test_a_304_of_a_detail_looks_at_no_sku(reader: ApiClient) -> None:
    path = f"products/{Product.objects.get(source_id='1').pk}"
    etag = reader.send("GET", path).headers["ETag"]

    with CaptureQueriesContext(connection) as queries:
        assert reader.send("GET", path, headers={"If-None-Match": etag}).status_code == 304
    assert not any("products_sku" in query["sql"] or "description" in query["sql"] for query in queries)


def test_a_write_answers_the_etag_that_a_read_gives(writer: ApiClient) -> None:
    path = f"products/{Product.objects.get(source_id='1', source=SOURCE).pk}"
    writer.patch(path, {"title": "新"})
    written = writer.last.headers["ETag"]

    assert writer.send("GET", path).headers["ETag"] == written
