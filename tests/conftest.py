"""What all tests share: real servers, users by role, an API client, polling instead of sleeping."""

import time
from collections.abc import Callable
from typing import TypeVar

import pytest
import redis
from django.conf import settings as django_settings
from pytest_django import Settings
from zeal.constants import initialize_app_registry
from zeal.patch import patch as watch_lazy_loads

from accounts.authentication import forget_everybody
from accounts.models import User
from accounts.services import create_user
from products.search import vocabulary
from system import health, metrics, runtime
from system.api.throttling.limiter import limiter
from system.api.throttling.suspects import forget_suspects
from tests.client import ApiClient

PASSWORD = "correct horse 1688"
POLL_SECONDS = 0.02

Answer = TypeVar("Answer")


def eventually(answer: Callable[[], Answer], timeout: float = 20) -> Answer:
    """Ask until the answer is true, and return it; fails when `timeout` seconds are over."""
    deadline = time.monotonic() + timeout
    while not (found := answer()):
        assert time.monotonic() < deadline, f"not within {timeout} s; the last answer was {found!r}"
        time.sleep(POLL_SECONDS)
    return found


@pytest.fixture(scope="session", autouse=True)
def lazy_loads_are_watched() -> None:
    """Relations loaded one by one during a request raise (see `ApiClient.send`)."""
    initialize_app_registry()
    watch_lazy_loads()


@pytest.fixture(scope="session", autouse=True)
def static_files_have_a_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A checkout has no collected files, and the static file server warns of a missing folder.

    It looks for a file when one is asked for: listing them all with every new client took most of the tests' time.
    """
    django_settings.STATIC_ROOT = str(tmp_path_factory.mktemp("static"))
    django_settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> None:
    """What a process knows of users and servers must not leak from test to test."""
    forget_everybody()
    forget_suspects()
    limiter.forget()
    health.forget()
    runtime.assume_defaults()
    metrics.forget_pending()
    vocabulary.forget()


@pytest.fixture(autouse=True)
def quick_passwords(request: pytest.FixtureRequest, settings: Settings) -> None:
    """Password hashing is slow by design; only tests that ask for `real_passwords` wait for it."""
    if "real_passwords" not in request.fixturenames:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def real_passwords() -> None:
    """Passwords are hashed as in production."""


@pytest.fixture
def redis_url() -> str:
    """The URL of this worker's Redis, its databases empty."""
    urls = (django_settings.REDIS_BROKER_URL, django_settings.REDIS_CACHE_URL, django_settings.REDIS_LIVE_URL)
    for url in urls:
        with redis.Redis.from_url(url) as client:
            client.flushdb()
    return str(django_settings.REDIS_URL)


@pytest.fixture
def api() -> ApiClient:
    """A client of the API without credentials."""
    return ApiClient()


@pytest.fixture
def plain_user(db: None) -> User:
    """Signed in, but without a role."""
    return create_user("plain", "plain@example.com", PASSWORD)


@pytest.fixture
def viewer(db: None) -> User:
    """May read syncs and queues."""
    return create_user("viewer", "viewer@example.com", PASSWORD, role="viewer")


@pytest.fixture
def operator(db: None) -> User:
    """May start and stop syncs."""
    return create_user("operator", "operator@example.com", PASSWORD, role="operator")


@pytest.fixture
def admin(db: None) -> User:
    """May manage everything."""
    return create_user("admin", "admin@example.com", PASSWORD, role="admin")
