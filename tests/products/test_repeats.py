"""A request that comes again, word for word, is answered without being worked out again, and with the same answer."""

import re
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from pytest_django import Settings

from accounts import services
from accounts.authentication import forget_user
from accounts.models import User
from products.models import Product
from system.api.kept_pages import kept_pages
from system.api.repeats import repeats
from system.middleware import ApiMiddleware
from tests.client import ApiClient
from tests.products.records import apply, record

pytestmark = pytest.mark.django_db

VERSIONS = ("v1", "v2")
LISTS = ("products?limit=2", "products?category=耳机&status=published", "products/search?q=耳机")
DIFFERENT = re.compile(rb'"timestamp":"[^"]*"')
ID = "the-same-id"


@pytest.fixture(autouse=True)
def three(settings: Settings, redis_url: str) -> None:
    """Three products, for callers with a limit."""
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"free": "20/hour", "basic": "30/hour"}
    apply(*(record(str(number), price=number) for number in range(1, 4)))


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mock]:
    """Called for every request that is worked out."""
    real, asked = ApiMiddleware._worked_out, Mock()

    def watched(layer: ApiMiddleware, request: Any, language: str) -> Any:
        asked(request.path)
        return real(layer, request, language)

    monkeypatch.setattr(ApiMiddleware, "_worked_out", watched)
    return asked


def said(client: ApiClient, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """All of an answer but the time and what is left of the limit."""
    answer = client.send("GET", path, headers={"X-Request-ID": ID, **headers})
    told = {name: value for name, value in answer.headers.items() if not _counts(name)}
    return answer.status_code, DIFFERENT.sub(b"", answer.content), told


def _counts(name: str) -> bool:
    return name in {"X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit"}


def left(client: ApiClient) -> int:
    return int(client.last.headers["X-RateLimit-Remaining"])


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_page_given_again_is_the_page(
    path: str, version: str, language: str, plain_user: User, worked_out: Mock
) -> None:
    client = ApiClient(version=version).as_(plain_user)
    pages = [said(client, path, **{"Accept-Language": language}) for _ in range(4)]

    assert worked_out.call_count == 2
    assert pages[0][0] == 200
    assert pages[1:] == pages[:1] * 3
    assert pages[0][2]["X-Request-ID"] == ID


@pytest.mark.parametrize("path", [*LISTS, "products/{pk}"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_304_given_again_is_the_304(path: str, version: str, plain_user: User, worked_out: Mock) -> None:
    client, path = ApiClient(version=version).as_(plain_user), path.format(pk=Product.objects.earliest("pk").pk)
    known = {"If-None-Match": client.send("GET", path).headers["ETag"]}
    worked_out.reset_mock()
    answers = [said(client, path, **known) for _ in range(3)]

    assert worked_out.call_count == 1
    assert answers[0][:2] == (304, b"")
    assert answers[1:] == answers[:1] * 2


def test_each_is_charged_once_until_the_limit_is_used_up(reader: ApiClient, worked_out: Mock) -> None:
    reader.get("products")
    before = left(reader)
    remaining = []
    for _ in range(before):
        reader.get("products")
        remaining.append(left(reader))

    assert remaining == list(range(before))[::-1]
    assert worked_out.call_count == 2
    assert reader.get("products", expect=429)["code"] == "E00006"
    assert reader.last.headers["Retry-After"]


@pytest.mark.parametrize("path", ["products", "products/{pk}"])
def test_what_was_committed_is_seen_by_the_next_request(path: str, reader: ApiClient, worked_out: Mock) -> None:
    product = Product.objects.get(source_id="1")
    path = path.format(pk=product.pk)
    known = {"If-None-Match": reader.send("GET", path).headers["ETag"]}
    for number in range(3):
        assert [reader.send("GET", path, headers=known).status_code for _ in range(2)] == [304, 304]
        before = left(reader)
        apply(record("1", price=100 + number))
        changed = reader.send("GET", path, headers=known)

        assert changed.status_code == 200
        assert left(reader) == before - 1, "charged once, although it was tried twice"
        assert str(100 + number).encode() in changed.content
        known = {"If-None-Match": changed.headers["ETag"]}


def test_a_page_that_is_no_longer_kept_is_read(reader: ApiClient) -> None:
    pages = [reader.get("products") for _ in range(3)]
    kept_pages.forget()

    assert reader.get("products") == pages[0]


def test_who_signed_out_is_refused(reader: ApiClient, plain_user: User) -> None:
    for _ in range(3):
        reader.get("products")
    services.end_sessions(plain_user.pk)
    forget_user(plain_user.pk)

    reader.get("products", expect=401)


def test_another_tier_has_its_own_limit_at_once(reader: ApiClient, plain_user: User) -> None:
    for _ in range(3):
        reader.get("products")
    assert reader.last.headers["X-RateLimit-Limit"] == "20"
    User.objects.filter(pk=plain_user.pk).update(tier="basic")
    forget_user(plain_user.pk)

    reader.get("products")
    assert reader.last.headers["X-RateLimit-Limit"] == "30"


def test_the_answer_of_one_is_not_given_to_another(reader: ApiClient, worked_out: Mock) -> None:
    for _ in range(3):
        reader.get("products")
    ApiClient().get("products", expect=401)
    ApiClient("no.such.token").get("products", expect=401)

    assert worked_out.call_count == 4


def test_what_is_remembered_is_bounded(reader: ApiClient, worked_out: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("system.api.repeats.REMEMBERED", 1)
    repeats.forget()
    for path in ("products", "products?limit=1"):
        for _ in range(3):
            reader.get(path)
    worked_out.reset_mock()
    reader.get("products?limit=1")
    assert not worked_out.called
    reader.get("products")
    assert worked_out.called


def test_no_credentials_are_remembered(reader: ApiClient) -> None:
    for _ in range(3):
        reader.get("products")
    remembered = repr(repeats._known)

    assert "products" in remembered
    assert reader._headers["Authorization"].split()[1] not in remembered


def test_a_head_that_is_no_text_is_answered_and_not_remembered(reader: ApiClient, worked_out: Mock) -> None:
    for _ in range(3):
        reader.get("products", headers={"User-Agent": "\udc80"})
    assert worked_out.call_count == 3
