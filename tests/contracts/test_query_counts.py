"""How many queries a read costs: written down, and the same for one row and for twenty."""

import json
from pathlib import Path
from typing import Any

import pytest
import zeal
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from products.models import Product
from system.api.kept_pages import kept_pages
from tests.contracts.conftest import Clients
from tests.contracts.routes import ROUTES, Route

COUNTS = Path(__file__).with_name("query_counts.json")
counted = [route for route in ROUTES if route.row.counted]


@pytest.fixture
def nothing_is_kept(settings: Settings) -> None:
    """Every answer is read."""
    settings.LIST_CACHE_MB = 0
    kept_pages.forget()


@pytest.mark.parametrize("rows", [1, 20], indirect=True)
@pytest.mark.parametrize("route", counted, ids=str)
def test_reads_cost_what_is_written_down(
    clients: Clients, world: dict[str, Any], route: Route, rows: int, nothing_is_kept: None
) -> None:
    path = route.path(world)
    client = clients[route.row.who]
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        client.get(path)
    expected = json.loads(COUNTS.read_text(encoding="utf-8")).get(str(route))
    shown = "\n".join(query["sql"] for query in queries)
    assert len(queries) == expected, f"{COUNTS.name} says {expected} for {route}; these were {len(queries)}:\n{shown}"


def test_every_count_belongs_to_a_route() -> None:
    assert set(json.loads(COUNTS.read_text(encoding="utf-8"))) == {str(route) for route in counted}


@pytest.mark.parametrize("rows", [20], indirect=True)
def test_relations_loaded_one_by_one_are_noticed(rows: int) -> None:
    with zeal.zeal_context(), pytest.raises(zeal.NPlusOneError):
        assert [product.category for product in Product.objects.all()]
