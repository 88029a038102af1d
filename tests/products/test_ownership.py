"""A field an operator sets stays, beside what its source says, until the policy or somebody gives it back."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import orjson
import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from products.ingest import ownership
from products.models import Product, ProductChange, Sku
from products.records import PriceTier, ProductRecord
from products.selectors.ownership import conflict_views
from products.services.ownership import RELEASE_KIND, run_release
from system.api.versions import version_named
from system.models import AuditLog, Task
from system.queue import TaskContext
from tests.client import ApiClient
from tests.products.records import apply, record, sku

pytestmark = pytest.mark.django_db


@pytest.fixture
def policies() -> Iterator[dict[str, str]]:
    """The policies of every source; empty at first."""
    known, said = list(ownership._lookups), dict[str, str]()
    ownership.register_policies(lambda _source: said)
    yield said
    ownership._lookups[:] = known


@pytest.fixture
def product(writer: ApiClient, policies: dict[str, str]) -> Product:
    """A synced product whose title an operator has set."""
    apply(record())
    product = Product.objects.get()
    writer.patch(f"products/{product.pk}", {"title": "耳机"})
    return now()


def now() -> Product:
    return Product.objects.get()


def newest() -> ProductChange:
    return ProductChange.objects.latest("id")


def test_what_the_source_says_is_kept_beside_the_operators_value(product: Product) -> None:
    assert (product.owned_fields, product.source_values) == (["title"], {"title": "无线蓝牙耳机"})
    version = product.version
    apply(record(title="新款", stock=7))
    assert (now().title, now().stock, now().source_values) == ("耳机", 7, {"title": "新款"})
    assert newest().fields == {"stock": [100, 7]}
    apply(record(title="更新款", stock=7))
    assert (now().version, now().source_values) == (version + 1, {"title": "更新款"})


def test_a_conflict_ends_when_the_source_comes_to_say_the_same(writer: ApiClient, product: Product) -> None:
    assert writer.get(f"products/{product.pk}")["conflicts"] == ["title"]
    apply(record(title="耳机"))
    shown = writer.get(f"products/{product.pk}")
    assert (shown["owned_fields"], shown["conflicts"]) == (["title"], [])
    assert (now().conflicts, now().conflicts_at) == (None, None)


def test_conflicts_are_listed_with_both_values(writer: ApiClient, product: Product) -> None:
    (item,) = writer.get("products/conflicts")["items"]
    assert item["conflicts"] == [{"field": "title", "value": "耳机", "source_value": "无线蓝牙耳机"}]
    assert (item["product_id"], item["owned_fields"], item["version"]) == (product.pk, ["title"], product.version)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"field": "title"}, 1),
        ({"field": "stock"}, 0),
        ({"field": "stock,title"}, 1),
        ({"source": "demo"}, 1),
        ({"source": "other"}, 0),
        ({"since": "2020-01-01T00:00:00Z"}, 1),
        ({"since": "2100-01-01T00:00:00Z"}, 0),
        ({"product_id": 1}, 0),
    ],
)
def test_conflicts_are_filtered(writer: ApiClient, product: Product, query: dict[str, Any], found: int) -> None:
    assert writer.get("products/conflicts", **query)["total"] == found


def test_conflicts_are_for_operators(reader: ApiClient) -> None:
    reader.get("products/conflicts", expect=403)


def test_attributes_in_a_conflict_are_spelled_as_they_are(writer: ApiClient, product: Product) -> None:
    writer.patch(f"products/{product.pk}", {"attributes": {"some_name": 1}})
    (item,) = version_named("v2").naming.rename(conflict_views([now()]))
    (conflict,) = (each for each in item["conflicts"] if each["field"] == "attributes")
    assert orjson.loads(orjson.dumps(conflict["value"])) == {"some_name": 1}
    assert "sourceValue" in conflict


def test_released_fields_say_at_once_what_the_source_says(writer: ApiClient, product: Product) -> None:
    answer = writer.post(f"products/{product.pk}/release", {"fields": ["title"]})
    assert (answer["title"], answer["owned_fields"], answer["version"]) == ("无线蓝牙耳机", [], product.version + 1)
    assert newest().fields == {"title": ["耳机", "无线蓝牙耳机"], "owned_fields": [["title"], []]}
    assert AuditLog.objects.filter(action="product.release", target_id=str(product.pk)).exists()
    assert apply(record(title="新款")).updated == 1
    assert now().title == "新款"


def test_prices_go_back_together(writer: ApiClient, product: Product) -> None:
    writer.patch(f"products/{product.pk}", {"price": 12.5})
    assert {*now().owned_fields} == {"title", *ownership.PRICES}
    apply(record(price=Decimal("9.50"), price_min=Decimal("7.00"), price_tiers=(PriceTier(5, Decimal("9.50")),)))
    writer.post(f"products/{product.pk}/release", {"fields": ["price_min"]})
    assert (now().price, now().price_min, now().owned_fields) == (Decimal("9.50"), Decimal("7.00"), ["title"])
    assert now().price_tiers == [{"start_quantity": 5, "price": 9.5}]


def test_the_skus_of_the_source_come_back_whole(writer: ApiClient, policies: dict[str, str]) -> None:
    apply(record(skus=(sku("1"), sku("2"))))
    product = now()
    first, second = Sku.objects.order_by("position")
    writer.patch(f"products/{product.pk}/skus/{first.pk}", {"stock": 3})
    writer.delete(f"products/{product.pk}/skus/{second.pk}")
    writer.post(f"products/{product.pk}/skus", {"code": "own"}, expect=201)
    apply(record(skus=(sku("1", stock=50), sku("2"), sku("3", price=Decimal("1.10")))))
    assert Sku.objects.get(pk=first.pk).stock == 3
    assert writer.get(f"products/{product.pk}")["conflicts"] == ["skus"]
    writer.post(f"products/{product.pk}/release")
    skus = Sku.objects.order_by("position").values_list("source_sku_id", "stock", "price")
    assert list(skus) == [("1", 50, Decimal("9.90")), ("2", 10, Decimal("9.90")), ("3", 10, Decimal("1.10"))]
    assert apply(record(skus=(sku("1", stock=50), sku("2"), sku("3", price=Decimal("1.10"))))).updated == 0


def test_what_nobody_owns_is_left_alone(writer: ApiClient, product: Product) -> None:
    answer = writer.post(f"products/{product.pk}/release", {"fields": ["stock"]})
    assert (answer["version"], answer["owned_fields"]) == (product.version, ["title"])


@pytest.mark.parametrize("fields", [[], ["sku"], ["nonsense"], "title", [1]])
def test_fields_that_are_none_are_refused(writer: ApiClient, product: Product, fields: Any) -> None:
    writer.post(f"products/{product.pk}/release", {"fields": fields}, expect=400)


def test_a_stale_release_is_refused(writer: ApiClient, product: Product) -> None:
    writer.post(f"products/{product.pk}/release", headers={"If-Match": '"v1-0"'}, expect=412)


POLICIES: list[tuple[dict[str, str], str, str]] = [
    ({}, "same", "耳机"),
    ({}, "other", "耳机"),
    ({"*": "source"}, "same", "无线蓝牙耳机"),
    ({"*": "operator", "title": "source"}, "other", "新款"),
    ({"*": "source", "title": "operator"}, "other", "耳机"),
    ({"title": "until_changed"}, "same", "耳机"),
    ({"title": "until_changed"}, "other", "新款"),
    ({"price": "source"}, "other", "耳机"),
]


@pytest.mark.parametrize(("said", "news", "title"), POLICIES)
def test_the_policy_says_who_wins(
    product: Product, policies: dict[str, str], said: dict[str, str], news: str, title: str
) -> None:
    policies |= said
    apply(record(title="无线蓝牙耳机" if news == "same" else "新款"))
    assert now().title == title
    assert now().owned_fields == (["title"] if title == "耳机" else [])


def test_the_history_says_that_the_source_has_won(product: Product, policies: dict[str, str]) -> None:
    policies["title"] = "until_changed"
    apply(record(title="新款"), job_id=9)
    assert (newest().fields, newest().job_id) == ({"title": ["耳机", "新款"], "owned_fields": [["title"], []]}, 9)
    assert (now().source_values, now().conflicts, now().version) == (None, None, product.version + 1)


def test_one_price_that_changes_ends_the_ownership_of_all(
    writer: ApiClient, product: Product, policies: dict[str, str]
) -> None:
    policies["price"] = "until_changed"
    writer.patch(f"products/{product.pk}", {"price": 12.5})
    apply(record())
    assert now().price == Decimal("12.50")
    apply(record(price_tiers=(PriceTier(2, Decimal("9.90")),)))
    assert (now().price, now().owned_fields) == (Decimal("9.90"), ["title"])


def test_the_policy_of_skus(writer: ApiClient, product: Product, policies: dict[str, str]) -> None:
    policies["skus"] = "until_changed"
    kept = Sku.objects.get()
    writer.patch(f"products/{product.pk}/skus/{kept.pk}", {"stock": 3})
    apply(record())
    assert Sku.objects.get().stock == 3
    apply(record(skus=(sku(stock=11),)))
    assert (Sku.objects.get().stock, now().owned_fields) == (11, ["title"])


def test_what_nobody_owns_costs_no_query(
    policies: dict[str, str], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    asked: list[str] = []

    def ask(source: str) -> dict[str, str]:
        asked.append(source)
        return {}

    ownership.register_policies(ask)
    apply(record())
    with django_assert_num_queries(_queries_of_a_change(record(stock=3))):
        apply(record(stock=4))
    assert asked == []


def _queries_of_a_change(news: ProductRecord) -> int:
    with CaptureQueriesContext(connection) as captured:
        apply(news)
    statements = " ".join(query["sql"] for query in captured)
    assert "conflicts_at" not in statements
    return len(captured)


def test_many_are_given_back_by_a_task(writer: ApiClient, policies: dict[str, str]) -> None:
    apply(record("1"), record("2"), record("3"))
    for product in Product.objects.order_by("source_id")[:2]:
        writer.patch(f"products/{product.pk}", {"title": "耳机", "stock": 5})
    answer = writer.post("products/release", {"source": "demo", "fields": ["title"]}, expect=202)
    task = Task.objects.get(pk=answer["task_id"], kind=RELEASE_KIND)
    Task.objects.filter(pk=task.pk).update(state="running", fence=1)
    assert run_release(task.payload, TaskContext(task.pk, 1, None)) == {"released": 2}
    assert set(Product.objects.values_list("title", flat=True)) == {"无线蓝牙耳机"}
    assert Product.objects.filter(owned_fields=["stock"]).count() == 2
    assert run_release(task.payload, TaskContext(task.pk, 1, None)) == {"released": 0}
    assert AuditLog.objects.filter(action="product.release").values_list("actor", flat=True)[0] == "operator"


def test_nobody_gives_everything_back_by_an_empty_body(writer: ApiClient) -> None:
    writer.post("products/release", {}, expect=400)


def test_the_command_lists_and_gives_back(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("ownership", "list", "--conflicts")
    assert "title" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        call_command("ownership", "release")
    call_command("ownership", "release", "--source", "demo")
    assert (now().title, now().owned_fields) == ("无线蓝牙耳机", [])


@pytest.mark.uncounted
def test_a_product_owned_since_before_is_remembered_at_the_next_look(policies: dict[str, str]) -> None:
    """Rows of earlier versions do not say what the source said; the first that is heard counts as unchanged."""
    policies["*"] = "until_changed"
    apply(record())
    Product.objects.update(owned_fields=["category"], category_id=5, fingerprint=b"")
    apply(record())
    assert (now().category_id, now().source_values, now().conflicts) == (5, {"category_id": 7}, ["category_id"])
