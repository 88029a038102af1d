"""Who wins between operator and source is a document of the source."""

from typing import Any

import pytest

from products.models import Product
from syncjobs.models import Source
from tests.client import ApiClient
from tests.syncjobs.conftest import start, work
from tests.syncjobs.scripted import World


@pytest.fixture
def edited(operate: ApiClient, source: Source, world: World) -> Product:
    """One product of two, whose price an operator has set."""
    world.offer(2)
    work(start())
    product = Product.objects.get(source_id="100001")
    operate.patch(f"products/{product.pk}", {"price": 99})
    return product


def price() -> str:
    return str(Product.objects.get(source_id="100001").price)


def set_policies(operate: ApiClient, source: Source, said: Any, *, expect: int = 200) -> Any:
    return operate.patch(f"sync/sources/{source.pk}", {"field_policies": said}, expect=expect)


def test_the_operator_wins_unless_something_else_is_said(edited: Product, world: World) -> None:
    world.prices["100001"] = "11.00"
    work(start())
    assert price() == "99.00"


def test_a_new_policy_counts_from_the_next_sync_on_though_the_source_says_nothing_new(
    operate: ApiClient, source: Source, edited: Product
) -> None:
    work(start())
    assert set_policies(operate, source, {"price": "source"})["field_policies"] == {"price": "source"}
    job = work(start())
    assert (price(), job.updated) == ("10.00", 1)
    assert operate.get(f"sync/jobs/{job.task_id}")["fields_changed"]["owned_fields"] == 1


def test_until_changed(operate: ApiClient, source: Source, edited: Product, world: World) -> None:
    set_policies(operate, source, {"*": "until_changed"})
    work(start())
    assert price() == "99.00"
    world.prices["100001"] = "11.00"
    work(start())
    assert price() == "11.00"


@pytest.mark.parametrize(
    "said", [{"nonsense": "source"}, {"price": "somebody"}, {"price_min": "source"}, {"sku": "source"}, [], "source"]
)
def test_unknown_fields_and_policies_are_refused(operate: ApiClient, source: Source, said: Any) -> None:
    set_policies(operate, source, said, expect=400)
    assert Source.objects.get().field_policies == {}
