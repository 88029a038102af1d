"""Fixtures of the catalogue's tests."""

from collections.abc import Iterator

import pytest

from accounts.models import User
from system.sql import fetch_all
from system.task_kinds import JobNames, job_names, register_job_names
from tests.client import ApiClient

MISCOUNTED = """
    SELECT scope, kept.products, kept.published, coalesce(real.products, 0), coalesce(real.published, 0) FROM (
        SELECT scope, sum(products) AS products, sum(published) AS published
        FROM products_stamp WHERE scope >= 0 GROUP BY scope
    ) AS kept FULL JOIN (
        SELECT coalesce(category_id, 0) AS scope, count(*) AS products,
            count(*) FILTER (WHERE status = 'published') AS published
        FROM products_product WHERE deleted_at IS NULL
        GROUP BY GROUPING SETS ((category_id), ()) HAVING GROUPING(category_id) = 1 OR category_id IS NOT NULL
    ) AS real USING (scope)
    WHERE (coalesce(kept.products, 0), coalesce(kept.published, 0))
        IS DISTINCT FROM (coalesce(real.products, 0), coalesce(real.published, 0))
"""


@pytest.fixture
def reader(api: ApiClient, plain_user: User) -> ApiClient:
    """Somebody who may read the catalogue and no more."""
    return api.as_(plain_user)


@pytest.fixture
def writer(api: ApiClient, operator: User) -> ApiClient:
    """Somebody who may write the catalogue."""
    return api.as_(operator)


@pytest.fixture(autouse=True)
def everybody_counts(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test wrote, the counters say how many products there are; an `uncounted` one wrote past them."""
    yield
    if request.node.get_closest_marker("django_db") and not request.node.get_closest_marker("uncounted"):
        assert fetch_all(MISCOUNTED) == [], "scope, products and published as counted, and as they are"


@pytest.fixture(autouse=True)
def named_jobs() -> Iterator[None]:
    """Jobs are called after their numbers: the catalogue knows nothing else of them."""
    known = job_names()
    register_job_names(JobNames(names=lambda numbers: {number: f"sync_{number}" for number in numbers}))
    yield
    register_job_names(known)
