"""ETags of products and categories."""

import pytest

from accounts.models import User
from products.models import Product
from tests.client import ApiClient
from tests.products.records import apply, record

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["products", "products/{id}", "categories", "categories/7"])
def test_what_did_not_change_is_not_sent_again(reader: ApiClient, path: str) -> None:
    apply(record())
    path = path.format(id=Product.objects.get().pk)
    reader.get(path)
    etag = reader.last.headers["ETag"]
    assert etag.startswith('"')

    for sent in (etag, f'"other", W/{etag}', "*"):
        again = reader.send("GET", path, headers={"If-None-Match": sent})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)


@pytest.mark.parametrize("path", ["products", "products/{id}"])
def test_a_change_is_sent(reader: ApiClient, path: str) -> None:
    apply(record())
    path = path.format(id=Product.objects.get().pk)
    reader.get(path)
    etag = reader.last.headers["ETag"]
    apply(record(stock=3))

    reader.get(path, headers={"If-None-Match": etag})

    assert reader.last.headers["ETag"] != etag


def test_only_this_answer_is_known_by_its_etag(reader: ApiClient) -> None:
    apply(record("1"), record("2"))
    reader.get("products", page_size=1)
    etag = reader.last.headers["ETag"]

    reader.get("products", page_size=1, page=2, headers={"If-None-Match": etag})
    reader.get("products", page_size=1, headers={"If-None-Match": '"0"'})
    reader.get("products", page_size=1, headers={"If-None-Match": etag.strip('"')})


def test_answers_are_kept_by_nobody_but_the_caller(reader: ApiClient, plain_user: User) -> None:
    reader.get("products")

    assert reader.last.headers["Cache-Control"] == "private"
