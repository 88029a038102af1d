"""Fixtures of the catalogue's tests."""

from collections.abc import Iterator

import pytest

from accounts.models import User
from system.task_kinds import JobNames, job_names, register_job_names
from tests.client import ApiClient


@pytest.fixture
def reader(api: ApiClient, plain_user: User) -> ApiClient:
    """Somebody who may read the catalogue and no more."""
    return api.as_(plain_user)


@pytest.fixture
def writer(api: ApiClient, operator: User) -> ApiClient:
    """Somebody who may write the catalogue."""
    return api.as_(operator)


@pytest.fixture(autouse=True)
def named_jobs() -> Iterator[None]:
    """Jobs are called after their numbers: the catalogue knows nothing else of them."""
    known = job_names()
    register_job_names(JobNames(names=lambda numbers: {number: f"sync_{number}" for number in numbers}))
    yield
    register_job_names(known)
