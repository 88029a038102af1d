"""What all tests share: real servers, users by role, an API client, polling instead of sleeping."""

import time
from collections.abc import Callable
from typing import TypeVar

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connections
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker, Settings
from zeal.constants import initialize_app_registry
from zeal.patch import patch as watch_lazy_loads

from accounts.authentication import forget_everybody
from accounts.models import User
from accounts.services import create_user
from products.search import vocabulary
from syncjobs import live
from system import health, metrics, runtime, sql
from system.api.kept_pages import kept_pages
from system.api.repeats import repeats
from system.api.throttling.limiter import limiter
from system.api.throttling.suspects import forget_suspects
from tests import emptying
from tests.client import ApiClient

PASSWORD = "correct horse 1688"
# The same examples each time, however slow the machine is; `make fuzz` looks for others.
hypothesis_settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
hypothesis_settings.load_profile("repeatable")

# Days end every so many seconds since 1970 by UTC or in China; no test should begin on one day and end on the next.
DAYS_END_SECONDS, NEARLY_SECONDS = 8 * 3600, 20

POLL_SECONDS = 0.02
# When a test is taken to hang, never what something may take: the machine may be busy with anything.
HANG_SECONDS = 300

# The server runs the databases of all test processes. A lock on a transaction names no database, but who waits for it
# has locked tables of one; and pg_stat_activity would show a transaction the same rows for ever.
WAITING = """
    SELECT 1 FROM pg_locks waiting JOIN pg_locks held USING (pid)
    WHERE NOT waiting.granted AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

Answer = TypeVar("Answer")


def eventually(answer: Callable[[], Answer], hang_seconds: float = HANG_SECONDS) -> Answer:
    """Ask until the answer is true, and return it; fails when nothing came of it in `hang_seconds`."""
    deadline = time.monotonic() + hang_seconds
    while not (found := answer()):
        assert time.monotonic() < deadline, f"not within {hang_seconds} s; the last answer was {found!r}"
        time.sleep(POLL_SECONDS)
    return found


def somebody_waits() -> bool:
    """Whether a connection to this test's database waits for a lock."""
    return sql.fetch_one(WAITING) is not None


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


@pytest.fixture(scope="session", autouse=True)
def slow_is_not_broken() -> None:
    """On a busy machine; tests of what happens when something does not answer say how long they wait for it."""
    connections.settings["default"]["OPTIONS"]["connect_timeout"] = HANG_SECONDS
    django_settings.REDIS_SOCKET_TIMEOUT_SECONDS = HANG_SECONDS
    # A job of a few products ends within one slice.
    django_settings.SYNC_SLICE_SECONDS = django_settings.SYNC_TURN_SECONDS = HANG_SECONDS
    health.PATIENCE_SECONDS = live.ANSWER_SECONDS = HANG_SECONDS


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The database of this process, which tests that commit leave as they found it."""
    with django_db_blocker.unblock():
        emptying.remember()
    TransactionTestCase._fixture_teardown = lambda _case: emptying.empty()  # type: ignore[attr-defined] # not in the stubs


@pytest.fixture(autouse=True)
def no_day_ends() -> None:
    """A test that begins just before midnight waits for it."""
    left = DAYS_END_SECONDS - time.time() % DAYS_END_SECONDS
    if left < NEARLY_SECONDS:
        time.sleep(left)


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> None:
    """What a process knows of users and servers must not leak from test to test."""
    forget_everybody()
    forget_suspects()
    limiter.forget()
    health.forget()
    runtime.assume_defaults()
    metrics.forget_pending()
    kept_pages.forget()
    repeats.forget()
    vocabulary.forget()
    live._troubles = live.Troubles()


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
