"""One world a module, in a transaction that is never committed; each test sees it as it was made.

Making it costs more than most calls do, and a hundred operations are called in a dozen ways.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import override_settings
from psycopg import sql
from pytest_django import DjangoDbBlocker, Settings

from accounts.authentication import forget_everybody
from accounts.models import User
from accounts.services import open_session
from tests.client import ApiClient, key_of
from tests.contracts.world import People, furnish, populate

QUICK_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@dataclass(frozen=True)
class Premises:
    """What is there before a test begins.

    Attributes:
        names: what the placeholders of `routes.py` stand for.
        tokens: an access token by role.
        keys: an API key by role, with everything the role allows.
    """

    people: People
    names: dict[str, Any]
    tokens: dict[str, str]
    keys: dict[str, str]


class Clients:
    """One client a role; "anyone" sends no credentials, and in version 1 nobody sends a key."""

    def __init__(self, premises: Premises, version: str) -> None:
        self._premises, self._version = premises, version
        self._made = {"anyone": ApiClient(version=version)}

    def __getitem__(self, role: str) -> ApiClient:
        if role not in self._made:
            key = "" if self._version == "v1" else self._premises.keys[role]
            self._made[role] = ApiClient(self._premises.tokens[role], key=key, version=self._version)
        return self._made[role]


@pytest.fixture(scope="module")
def rows(request: pytest.FixtureRequest) -> int:
    """How many rows of everything there are; tests may ask for another number by `indirect`."""
    return int(getattr(request, "param", 1))


@pytest.fixture(scope="module", autouse=True)
def outer_transaction(rows: int, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A transaction around all tests of a module; that of each test is a savepoint in it.

    Another number of rows is another world, so it begins anew. Between tests the database stays locked, so that a test
    that does not ask for it cannot change what all see.
    """
    outer = transaction.atomic()
    # What tests call is allowed to be durable in it, as in the transaction of a test.
    outer._from_testcase = True  # type: ignore[attr-defined]
    with django_db_blocker.unblock():
        outer.__enter__()
        with connection.cursor() as cursor:
            # A test may think longer than a server should wait for one of ours.
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    yield
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        outer.__exit__(None, None, None)


@contextmanager
def building(blocker: DjangoDbBlocker) -> Iterator[None]:
    """What is made for all tests of a module is made inside."""
    with blocker.unblock(), override_settings(PASSWORD_HASHERS=QUICK_HASHERS):
        yield


@pytest.fixture(scope="module", autouse=True)
def premises(outer_transaction: None, rows: int, django_db_blocker: DjangoDbBlocker) -> Premises:
    """The world of this module."""
    with building(django_db_blocker):
        people = populate()
        names = furnish(rows, people)
        tokens = {role: open_session(user)["token"] for role, user in people.items()}
        return Premises(people, names, tokens, {role: key_of(user) for role, user in people.items()})


@pytest.fixture(autouse=True)
def savepoint(premises: Premises, db: None) -> None:
    """Every test here is undone, also one that does not know it uses the database."""


@pytest.fixture(autouse=True)
def mail_server(settings: Settings) -> None:
    """A mail server is named, so that letters are accepted; no worker runs that would send one."""
    settings.EMAIL_HOST = "127.0.0.1"


@pytest.fixture(params=["v1", "v2"])
def version(request: pytest.FixtureRequest) -> str:
    """Each version of the API in turn."""
    return str(request.param)


@pytest.fixture
def clients(request: pytest.FixtureRequest, premises: Premises) -> Clients:
    """Clients by role, of the version a test is about."""
    named = "version" in request.fixturenames
    return Clients(premises, request.getfixturevalue("version") if named else "v1")


@pytest.fixture
def world(premises: Premises) -> dict[str, Any]:
    """Names of things that exist."""
    return dict(premises.names)


@pytest.fixture
def operator(premises: Premises) -> User:
    """The operator of this world."""
    return copy(premises.people["operator"])


@pytest.fixture
def admin(premises: Premises) -> User:
    """The administrator of this world."""
    return copy(premises.people["admin"])


@pytest.fixture
def viewer(premises: Premises) -> User:
    """The viewer of this world."""
    return copy(premises.people["viewer"])


@pytest.fixture
def plain_user(premises: Premises) -> User:
    """The user without a role of this world."""
    return copy(premises.people["plain_user"])


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside is rolled back, and not remembered by the process either."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    forget_everybody()


def everything() -> dict[str, Any]:
    """A digest of each of our tables, to show that a refused call changed nothing."""
    with connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if name.startswith(OURS)]
        digests = [sql.SQL(DIGEST).format(name=table, table=sql.Identifier(table)) for table in tables]
        cursor.execute(sql.SQL(" UNION ALL ").join(digests))
        return dict(cursor.fetchall())


DIGEST = "SELECT {name}, md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM {table} t"
OURS = ("accounts_", "products_", "syncjobs_", "system_", "token_blacklist_")
