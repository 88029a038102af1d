"""Fixtures of the catalogue's tests."""

import pytest

from accounts.models import User
from tests.client import ApiClient


@pytest.fixture
def reader(api: ApiClient, plain_user: User) -> ApiClient:
    """Somebody who may read the catalogue and no more."""
    return api.as_(plain_user)


@pytest.fixture
def writer(api: ApiClient, operator: User) -> ApiClient:
    """Somebody who may write the catalogue."""
    return api.as_(operator)
