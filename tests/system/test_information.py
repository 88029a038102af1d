"""What administrators and monitors are told of the installation."""

import threading
import tomllib

import pytest
from django.conf import settings as project
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from accounts.models import User
from system import info, metrics
from system.models import Task, WorkerPulse
from tests.architecture.source import PROJECT
from tests.client import ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(admin: User) -> ApiClient:
    """The administrator."""
    return ApiClient().as_(admin)


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every number by its name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_version_is_the_projects() -> None:
    assert tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"] == project.APP_VERSION


@pytest.mark.shows("000/5 GET system/info")
def test_versions_sizes_queues_and_workers_are_told(client: ApiClient) -> None:
    Task.objects.create(kind="x", queue="low")
    WorkerPulse.objects.create(worker="w1")
    found = client.get("system/info")
    assert found["application"]["django"].startswith("5.2")
    assert found["postgresql"]["warning"] is None
    assert found["postgresql"]["size_bytes"] > 0
    assert found["migrations"]["pending"] == []
    assert {"name": "low", "pending": 1, "running": 0, "oldest_pending_seconds": 0} in found["queues"]
    assert [(worker["name"], worker["online"]) for worker in found["workers"]] == [("w1", True)]
    assert "products_product" in {table["name"] for table in found["tables"]}
    assert "products_product" in {counter["name"] for counter in found["counters"]}
    assert {"security.W004"} <= {warning["id"] for warning in found["warnings"]}


def test_no_secret_is_told(client: ApiClient) -> None:
    text = client.send("GET", "system/info").content.decode()
    secrets = (project.SECRET_KEY, project.SIMPLE_JWT["SIGNING_KEY"], project.CREDENTIALS_KEYS[0])
    assert not [secret for secret in secrets if secret in text]
    assert "postgresql://" not in text


@pytest.mark.parametrize(
    ("number", "safe"),
    [("6.2.14", False), ("7.4.5", False), ("7.4.6", True), ("8.6.2", False), ("8.6.3", True), ("9.0.0", True)],
)
def test_a_redis_with_known_holes_is_warned_of(number: str, safe: bool) -> None:
    assert info.is_safe_redis(number) is safe


def test_redis_may_be_away(client: ApiClient, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    import redis

    away = redis.Redis.from_url("redis://127.0.0.1:1/0")
    monkeypatch.setattr("system.info.redis_client", lambda _purpose: away)
    assert client.get("system/info")["redis"]["version"] is None


def test_requests_are_counted_by_the_route_that_answered(client: ApiClient, redis_url: str) -> None:
    client.get("products/1", expect=404)
    client.get("products/2", expect=404)
    client.send("GET", "/api/v1/nowhere")
    found = samples(client.send("GET", "/metrics").content.decode())
    labels = {"method": "GET", "route": "/api/<version:version>/products/<pk>"}
    assert found["s1688_http_requests_total", tuple(sorted((labels | {"status": "404"}).items()))] == 2
    assert found["s1688_http_request_seconds_count", tuple(sorted(labels.items()))] == 2
    assert found["s1688_http_request_seconds_bucket", tuple(sorted((labels | {"le": "+Inf"}).items()))] == 2
    assert ("s1688_http_requests_total", (("method", "GET"), ("route", "unknown"), ("status", "404"))) in found


def test_queues_workers_and_jobs_are_told_to_monitors(client: ApiClient) -> None:
    Task.objects.create(kind="x", queue="low")
    found = samples(client.send("GET", "/metrics").content.decode())
    assert found["s1688_queue_tasks", (("queue", "low"), ("status", "pending"))] == 1
    assert found["s1688_workers_online", ()] == 0
    assert found["s1688_sync_jobs", (("status", "running"),)] == 0
    assert found["s1688_postgres_up", ()] == found["s1688_redis_up", ()] == 1


def test_counters_of_many_threads_add_up(redis_url: str) -> None:
    def work() -> None:
        for _ in range(200):
            metrics.count("idempotency_replays")
        metrics.carry()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert samples(metrics.exposition().decode())["s1688_idempotency_replays_total", ()] == 1600


def test_counters_wait_for_a_redis_that_is_away(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import redis

    away = redis.Redis.from_url("redis://127.0.0.1:1/0")
    with monkeypatch.context() as patch:
        patch.setattr("system.metrics.redis_client", lambda _purpose: away)
        metrics.count("idempotency_replays")
        assert samples(metrics.exposition().decode())["s1688_redis_up", ()] == 0
    assert samples(metrics.exposition().decode())["s1688_idempotency_replays_total", ()] == 1


@pytest.mark.parametrize("role", ["plain_user", "viewer", "operator"])
def test_metrics_are_for_administrators(role: str, request: pytest.FixtureRequest) -> None:
    ApiClient().as_(request.getfixturevalue(role)).call("GET", "/metrics", expect=403)


def test_a_monitor_may_hold_a_token_of_its_own(api: ApiClient, settings: Settings) -> None:
    api.call("GET", "/metrics", expect=401)
    for token in ("", "wrong", "monitor-token"):
        api.with_token(token).call("GET", "/metrics", expect=401)
    settings.METRICS_TOKEN = "monitor-token"
    for token in ("", "wrong", "monitor-toke"):
        api.with_token(token).call("GET", "/metrics", expect=401)
    monitor = api.with_token("monitor-token")
    answer = monitor.send("GET", "/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    monitor.call("GET", "/metrics?x=1", expect=400)
    monitor.call("POST", "/metrics", expect=405)
    monitor.get("system/info", expect=401)
