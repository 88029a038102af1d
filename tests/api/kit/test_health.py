"""Health: quick, public, honest."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from system import health
from system.models import WorkerPulse
from tests.client import ApiClient

PATHS = ("/health", "/api/v1/health")
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.shows("000/5 GET system/health", "003/FR-011", "003/SC-010"),
]


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """A probe that waits for this event hangs until the test is over."""
    event = threading.Event()
    yield event
    event.set()


def refuse() -> None:
    raise ConnectionError("down")


@pytest.mark.parametrize("path", PATHS)
def test_all_up_is_ok(api: ApiClient, path: str) -> None:
    response = api.send("GET", path)
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "postgres": "up",
        "redis": "up",
        "workers": {"online": 0, "last_seen": None},
    }


def test_the_enveloped_form_holds_the_same(api: ApiClient) -> None:
    assert api.get("system/health")["status"] == "ok"


@pytest.mark.parametrize(
    ("down", "status"),
    [(("redis",), "degraded"), (("postgres",), "unavailable"), (("postgres", "redis"), "unavailable")],
)
def test_what_is_down_is_named(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, down: tuple[str, ...], status: str
) -> None:
    for name in down:
        monkeypatch.setitem(health._registry.probes, name, refuse)
    for path in PATHS:
        response = api.send("GET", path)
        body = response.json()
        assert (response.status_code, body["status"]) == (503, status)
        assert {name for name in ("postgres", "redis") if body[name] == "down"} == set(down)
        assert body["error"]
        assert response.headers["Retry-After"]
    assert api.get("system/health", expect=503)["details"]["status"] == status


def test_a_hanging_part_does_not_hold_the_answer(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, release: threading.Event
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.3)

    def hang() -> bool:
        asked.append("redis")
        return release.wait()

    monkeypatch.setitem(health._registry.probes, "redis", hang)
    for _ in range(3):
        health.forget()
        assert api.send("GET", "/health").json()["redis"] == "down"
    assert asked == ["redis"]


def test_probes_are_asked_at_most_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def answer() -> bool:
        asked.append(time.monotonic())
        return True

    now = [1000.0]
    monkeypatch.setattr(health, "monotonic", lambda: now[0])
    monkeypatch.setitem(health._registry.probes, "redis", answer)
    for _ in range(20):
        health.report()
    assert len(asked) == 1
    now[0] += 1
    health.report()
    assert len(asked) == 2


def test_workers_that_consume_are_counted(api: ApiClient) -> None:
    WorkerPulse.objects.create(worker="fresh", seen_at=timezone.now())
    WorkerPulse.objects.create(worker="gone", seen_at=timezone.now() - timedelta(hours=1))
    workers = api.send("GET", "/health").json()["workers"]
    assert workers["online"] == 1
    assert workers["last_seen"].endswith("Z")


def test_being_alive_touches_nothing(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("postgres", "redis", "workers"):
        monkeypatch.setitem(health._registry.probes, name, refuse)
    assert api.send("GET", "/health/live").json() == {"status": "ok"}


@pytest.mark.parametrize("path", [*PATHS, "/health/live", "/api/v1/system/health"])
def test_health_is_for_reading_only(api: ApiClient, path: str) -> None:
    assert api.call("POST", path, expect=405)["code"] == "E00007"
    assert "GET" in api.last.headers["Allow"]


@pytest.mark.parametrize("path", ["/health", "/health/live"])
def test_what_is_for_reading_asks_writers_for_no_csrf_token(path: str) -> None:
    assert Client(enforce_csrf_checks=True).post(path).status_code == 405


@pytest.mark.parametrize("path", PATHS)
def test_health_does_not_look_at_credentials(api: ApiClient, path: str) -> None:
    assert api.with_token("stale").send("GET", path).status_code == 200
