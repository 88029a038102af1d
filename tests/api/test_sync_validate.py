"""`POST sync/validate`: what a start would meet, told without starting."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.models import User
from devstack.gateway.client import GatewayClient, running_gateway
from products.models import Category, Product
from syncjobs.models import Source, SyncBatch, SyncJob, SyncLog
from syncjobs.services.jobs import StartSync
from syncjobs.services.sources import NewSource, add_source
from syncjobs.services.validation import Validation
from system.models import AuditLog, Task
from tests.client import ApiClient
from tests.flow.conftest import gateway_credentials

PRODUCTS = 45
LIST, CATEGORY = "alibaba.product.list.get", "alibaba.category.get"


@pytest.fixture(scope="module")
def running() -> Iterator[GatewayClient]:
    """One simulator for this file."""
    with running_gateway(products=PRODUCTS, seed=7) as gateway:
        yield gateway


@pytest.fixture
def gateway(running: GatewayClient) -> GatewayClient:
    """The simulator as new, without faults."""
    running.clear_faults()
    running.control("reset", products=PRODUCTS)
    return running


@pytest.fixture
def source(gateway: GatewayClient, db: None, redis_url: str) -> Source:
    """The default source, pointing at the simulator."""
    return add_source(
        NewSource(
            name="demo",
            kind="alibaba1688",
            options={"gateway_url": gateway.url},
            credentials=gateway_credentials(gateway),
            calls_per_second=500.0,
            daily_call_limit=1000,
        )
    )


@pytest.fixture
def operate(api: ApiClient, operator: User) -> ApiClient:
    """The API as an operator."""
    return api.as_(operator)


def validated(operate: ApiClient, **body: Any) -> dict[str, Any]:
    answer: dict[str, Any] = operate.post("sync/validate", {"type": "full", **body})
    assert answer["valid"] == (not answer["errors"])
    return answer


def codes(problems: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(problem["code"], (problem["details"] or {}).get("reason", "")) for problem in problems]


def nothing_is_written() -> bool:
    tables = (SyncJob, SyncBatch, SyncLog, Task, Product, Category)
    return not any(table.objects.exists() for table in tables) and not AuditLog.objects.filter(
        action__startswith="sync."
    )


@pytest.mark.shows("000/3 POST sync/validate")
def test_a_good_start_is_told_what_it_will_take(operate: ApiClient, source: Source, gateway: GatewayClient) -> None:
    answer = validated(operate)
    assert answer["valid"]
    assert answer["source"]["name"] == "demo"
    assert answer["source"]["reachable"] is True
    assert answer["source"]["latency_ms"] > 0
    assert all(line["allowed"] for line in answer["permissions"])
    assert {LIST, CATEGORY} <= {line["api"] for line in answer["permissions"]}
    estimate = answer["estimate"]
    assert (estimate["records"], estimate["quota"]["limit"]) == (PRODUCTS, 1000)
    assert estimate["calls"] == 3 + 1  # three pages, and the root of the category tree
    assert estimate["quota"]["share_percent"] == pytest.approx(0.4)
    assert nothing_is_written()


def test_its_own_calls_are_counted_like_any_other(operate: ApiClient, source: Source, gateway: GatewayClient) -> None:
    validated(operate)
    first = gateway.control("calls")["total"]
    assert first > 0
    used = validated(operate)["estimate"]["quota"]["used_today"]
    assert first < used <= gateway.control("calls")["total"]


def test_the_sample_shows_products_as_they_would_be_stored(operate: ApiClient, source: Source) -> None:
    sample = validated(operate)["sample"]
    assert len(sample) == 5
    assert {item["effect"] for item in sample} == {"created"}
    product = sample[0]["product"]
    assert product["sku"] == f"1688-{product['source_id']}"
    assert product["title"]
    assert isinstance(product["price"], float | int | None)
    assert product["skus"]


def test_chosen_products_are_sampled_by_their_ids(operate: ApiClient, source: Source, gateway: GatewayClient) -> None:
    offer = validated(operate)["sample"][0]["product"]["source_id"]
    answer = validated(operate, sku_list=[offer])
    assert [item["product"]["source_id"] for item in answer["sample"]] == [offer]
    assert (answer["estimate"]["records"], answer["estimate"]["calls"]) == (1, 1)


def test_what_start_would_refuse_stands_in_the_errors(operate: ApiClient, source: Source) -> None:
    Category.objects.create(pk=7, name="茶具", path="茶具", ancestors=[7])
    running = operate.post("sync/start", {"type": "full"})
    answer = validated(operate)
    assert codes(answer["errors"]) == [("E02001", "")]
    assert answer["errors"][0]["details"] == {"task_id": running["task_id"]}
    assert codes(validated(operate, category_id=8)["errors"]) == [("E01002", "")]
    unknown = validated(operate, source="nowhere")
    assert (codes(unknown["errors"]), unknown["source"], unknown["estimate"]) == ([("E02003", "")], None, None)
    Source.objects.update(is_enabled=False)
    assert codes(validated(operate)["errors"])[0] == ("E02004", "")


def test_a_permission_that_is_needed_is_an_error_that_names_it(
    operate: ApiClient, source: Source, gateway: GatewayClient
) -> None:
    gateway.control("limits", deny=LIST)
    answer = validated(operate)
    assert ("E02009", "api_not_granted") in codes(answer["errors"])
    assert any(LIST in str(problem["suggestion"]) for problem in answer["errors"])
    denied = {line["api"]: line for line in answer["permissions"] if not line["allowed"]}
    assert set(denied) == {LIST}
    assert denied[LIST]["error"]["details"]["reason"] == "api_not_granted"


def test_a_permission_a_sync_can_do_without_is_a_warning(
    operate: ApiClient, source: Source, gateway: GatewayClient
) -> None:
    gateway.control("limits", deny=CATEGORY)
    answer = validated(operate)
    assert answer["valid"]
    assert codes(answer["warnings"]) == [("E02009", "api_not_granted")]


def test_a_wrong_secret_is_an_error_with_advice(operate: ApiClient, source: Source, gateway: GatewayClient) -> None:
    Source.objects.update(app_key="404")
    answer = validated(operate)
    assert codes(answer["errors"]) == [("E02009", "app_key_unknown")]
    assert answer["errors"][0]["suggestion"]
    assert answer["source"]["reachable"] is True


def test_a_used_up_quota_is_an_error(operate: ApiClient, source: Source, gateway: GatewayClient) -> None:
    gateway.control("limits", daily=1)
    assert ("E02010", "") in codes(validated(operate)["errors"])


def test_a_sync_larger_than_what_is_left_of_the_quota_is_warned_of(operate: ApiClient, source: Source) -> None:
    Source.objects.update(daily_call_limit=10)
    answer = validated(operate)
    assert ("E02010", "") in codes(answer["warnings"])


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_a_source_nobody_answers_at_is_502(operate: ApiClient, source: Source) -> None:
    Source.objects.update(options={"gateway_url": f"http://127.0.0.1:{closed_port()}"})
    error = operate.post("sync/validate", {"type": "full"}, expect=502)
    assert (error["code"], error["details"]["reason"]) == ("E02011", "connection_failed")
    assert operate.last.headers["Retry-After"]
    assert nothing_is_written()


@pytest.mark.parametrize("kind", ["http_500", "http_502", "html_body", "truncated_json", "reset"])
@pytest.mark.parametrize("called", ["currentTime", LIST])
def test_a_source_that_answers_nonsense_is_502(
    operate: ApiClient, source: Source, gateway: GatewayClient, kind: str, called: str
) -> None:
    gateway.faults({"kind": kind, "api": called})
    error = operate.post("sync/validate", {"type": "full"}, expect=502)
    assert error["code"] == "E02011"


@pytest.mark.parametrize("called", ["currentTime", LIST])
def test_a_source_that_keeps_silent_is_504(
    operate: ApiClient, source: Source, gateway: GatewayClient, settings: Settings, called: str
) -> None:
    settings.SYNC_VALIDATE_SECONDS = 1
    gateway.faults({"kind": "slow", "seconds": 20, "api": called})
    error = operate.post("sync/validate", {"type": "full"}, expect=504)
    assert (error["code"], error["details"]["reason"]) == ("E02012", "timeout")
    assert operate.last.headers["Retry-After"]


def test_a_source_that_wants_to_be_left_alone_is_503(
    operate: ApiClient, source: Source, gateway: GatewayClient
) -> None:
    gateway.faults({"kind": "qps"})
    error = operate.post("sync/validate", {"type": "full"}, expect=503)
    assert error["details"]["reason"] == "rate_limited"


def feed(tmp_path: Path, offers: list[Any], **options: Any) -> Source:
    path = tmp_path / "offers.ndjson"
    path.write_text("".join(json.dumps(offer) + "\n" for offer in offers), encoding="utf-8")
    mapping = {"id": "id", "title": "title", "price": "price"}
    return Source.objects.create(
        name="shop", kind="feed", is_default=True, options={"path": str(path), "mapping": mapping, **options}
    )


def test_a_feed_is_counted_and_its_bad_records_are_warned_of(operate: ApiClient, db: None, tmp_path: Path) -> None:
    feed(tmp_path, [{"id": "610947572360", "title": "茶杯", "price": "9.90"}, {"id": "2", "title": "", "price": "x"}])
    answer = validated(operate)
    assert answer["valid"]
    assert (answer["estimate"]["records"], answer["estimate"]["calls"]) == (2, 0)
    assert [item["product"]["title"] for item in answer["sample"]] == ["茶杯"]
    assert any(problem["details"]["source_id"] == "2" for problem in answer["warnings"] if "step" in problem["details"])


def test_a_feed_that_is_not_there_is_an_error(operate: ApiClient, db: None, tmp_path: Path) -> None:
    feed(tmp_path, [], path=str(tmp_path / "nowhere.ndjson"))
    answer = validated(operate)
    assert codes(answer["errors"]) == [("E02009", "feed_missing")]
    assert answer["source"]["reachable"] is False


@pytest.mark.parametrize("chosen", [{}, {"sku_list": ["610947572360"]}], ids=["everything", "what is not in it"])
def test_a_file_too_large_to_count_is_valid_without_an_estimate(
    operate: ApiClient, db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, Any]
) -> None:
    feed(tmp_path, [{"id": str(100000 + n), "title": "茶杯", "price": "9.90"} for n in range(5)])
    monkeypatch.setattr("syncjobs.connectors.feed.planning.LOOK_RECORDS", 1)
    monkeypatch.setattr("syncjobs.connectors.registry.ConnectorContext.gives_up_at", lambda _context: 0.0)
    answer = validated(operate, **chosen)
    assert answer["valid"]
    assert answer["estimate"] is None
    assert codes(answer["warnings"]) == [("E02009", "uncounted")]


@pytest.mark.django_db(transaction=True)
def test_no_transaction_waits_for_the_source(operate: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an Idempotency-Key other calls keep one; here a token renewed on the way must outlive a refusal."""
    held: list[bool] = []

    def asked(_request: StartSync) -> Validation:
        held.append(connection.in_atomic_block)
        return Validation()

    monkeypatch.setattr("syncjobs.api.views.sync.validate_sync", asked)
    operate.post("sync/validate", {"type": "full"}, headers={"Idempotency-Key": "once"})
    assert held == [False]


def test_secrets_that_cannot_be_read_are_an_error(operate: ApiClient, source: Source) -> None:
    Source.objects.update(secrets=b"not of this key")
    assert codes(validated(operate)["errors"]) == [("E02009", "secrets_unreadable")]
