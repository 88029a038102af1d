"""Versions and routes that are to go say so, from one setting."""

from collections.abc import Iterator

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from system.api.lifecycle import lifecycle_headers
from tests.client import ApiClient

ENDS = {"since": "2027-01-01", "until": "2027-07-01", "successor": "/api/v2"}

pytestmark = pytest.mark.shows("001/7.1.3")


@pytest.fixture(autouse=True)
def read_anew() -> Iterator[None]:
    lifecycle_headers.cache_clear()
    yield
    lifecycle_headers.cache_clear()


def test_nothing_is_said_while_nothing_is_to_go(api: ApiClient) -> None:
    api.get("products", expect=401)
    assert not {"Deprecation", "Sunset"} & set(api.last.headers)


def test_a_deprecated_version_says_since_when_until_when_and_what_follows(api: ApiClient, settings: Settings) -> None:
    settings.API_DEPRECATIONS = {"v1": ENDS}
    api.get("products", expect=401)
    assert api.last.headers["Deprecation"] == "@1798761600"
    assert api.last.headers["Sunset"] == "Thu, 01 Jul 2027 00:00:00 GMT"
    assert '</api/v2>; rel="successor-version"' in api.last.headers["Link"]


def test_a_deprecated_route_speaks_for_itself_alone(api: ApiClient, settings: Settings) -> None:
    settings.API_DEPRECATIONS = {"v1 GET products/<pk>": {**ENDS, "successor": "/api/v2/products"}}
    api.get("products/1", expect=401)
    assert "Sunset" in api.last.headers
    api.get("products", expect=401)
    assert "Sunset" not in api.last.headers


def test_links_to_other_pages_stay(api: ApiClient, plain_user: object, settings: Settings) -> None:
    settings.API_DEPRECATIONS = {"v1": ENDS}
    client = api.as_(plain_user)  # type: ignore[arg-type]
    client.get("products")
    assert 'rel="first"' in client.last.headers["Link"]
    assert 'rel="successor-version"' in client.last.headers["Link"]


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"API_DEPRECATIONS": {"v1": {**ENDS, "until": "2027-03-01"}}}, "system.E011"),
        ({"API_DEPRECATIONS": {"v2": {**ENDS, "since": "2026-11-26", "until": "2027-03-30"}}}, "system.E012"),
        ({"API_VERSIONS": dict.fromkeys(("v1", "v2", "v3", "v4"), "system.api.v1.VERSION")}, "system.E010"),
    ],
)
def test_the_checks_keep_the_promise(settings: Settings, changed: dict[str, object], number: str) -> None:
    for name, value in changed.items():
        setattr(settings, name, value)
    assert number in [message.id for message in run_checks()]
