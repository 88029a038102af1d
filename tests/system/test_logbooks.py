"""The system log and the audit log: written without harm, read by administrators."""

import logging
import multiprocessing
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from accounts.services import update_profile
from system import retention, systemlog
from system.actor import Actor, actor_scope
from system.logs import ContextFilter, RedactFilter
from system.models import SystemLog
from system.request_id import request_scope
from system.systemlog import TableHandler
from tests.client import ApiClient
from tests.conftest import eventually

CANARY = "s3cret-canary"


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Iterator[TableHandler]:
    """A handler as the settings make it, whose thread sleeps."""
    monkeypatch.setattr(systemlog, "WRITE_SECONDS", 3600)
    made = TableHandler(logging.WARNING)
    made.addFilter(ContextFilter())
    made.addFilter(RedactFilter())
    monkeypatch.setattr(made._writer, "wake", lambda: None)
    logger.addHandler(made)
    yield made
    logger.removeHandler(made)


# Under no other: pytest keeps what the root sees, and half a surrogate pair breaks it.
logger = logging.Logger("tests.logbook")  # noqa: LOG001 (meant to stand alone)


@pytest.fixture
def client(admin: User) -> ApiClient:
    """The administrator."""
    return ApiClient().as_(admin)


def add(message: str, **values: Any) -> SystemLog:
    return SystemLog.objects.create(**{"level": "WARNING", "logger": "system.queue", "message": message} | values)


def messages(client: ApiClient, **query: Any) -> list[str]:
    return [line["message"] for line in client.get("system/logs", **query)["items"]]


@pytest.mark.django_db
def test_warnings_are_kept_with_their_request_and_what_lies_below_is_not(handler: TableHandler) -> None:
    with request_scope("r-1"):
        logger.warning("slow by %d ms", 7, extra={"source": "1688", "numbers": [1, 2]})
    logger.info("nothing of note")
    handler.write()
    line = SystemLog.objects.get()
    assert (line.level, line.logger) == ("WARNING", "tests.logbook")
    assert (line.message, line.request_id) == ("slow by 7 ms", "r-1")
    assert line.context == {"source": "1688", "numbers": [1, 2]}
    assert line.process


@pytest.mark.django_db
def test_secrets_are_taken_out_also_of_tracebacks(handler: TableHandler) -> None:
    try:
        int(f"password={CANARY}")
    except ValueError:
        logger.exception("failed: access_token=%s", CANARY, extra={"api_key": CANARY, "more": {"token": CANARY}})
    handler.write()
    line = SystemLog.objects.get()
    assert "ValueError" in line.context["traceback"]
    assert CANARY not in f"{line.message}{line.context}"


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["nul \0 inside", "half \ud800 pair", "x" * 100_000, "茶", "\u2028"], ids=range(5))
def test_any_text_can_be_kept(handler: TableHandler, text: str) -> None:
    logger.warning("%s", text, extra={"text": text, "nested": {"a": text}, "object": object()})
    handler.write()
    assert SystemLog.objects.count() == 1


@pytest.mark.django_db
def test_what_does_not_fit_is_dropped_counted_and_reported(
    handler: TableHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(systemlog.MOST_WAITING + 7):
        logger.warning("line %d", number)
    while not handler._waiting.empty():
        handler.write()
    assert SystemLog.objects.filter(logger="tests.logbook").count() == systemlog.MOST_WAITING
    assert SystemLog.objects.get(logger="system.systemlog").context == {"dropped": 7}


@pytest.mark.django_db
def test_a_database_that_is_away_costs_the_lines_and_nothing_else(
    handler: TableHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(systemlog, "INSERT", "INSERT INTO no_such_table VALUES (%s, %s, %s, %s, %s, %s, %s)")
        logger.warning("lost")
        handler.write()
    handler.write()
    assert [(line.message, line.context) for line in SystemLog.objects.all()] == [
        ("log lines were dropped", {"dropped": 1})
    ]


@pytest.mark.django_db(transaction=True)
def test_a_thread_writes_by_itself_and_again_after_a_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemlog, "WRITE_SECONDS", 0.05)
    own = TableHandler(logging.WARNING)
    logger.addHandler(own)
    try:
        logger.warning("of the parent")
        eventually(lambda: SystemLog.objects.filter(message="of the parent").count() == 1)
        connection.close()
        child = multiprocessing.get_context("fork").Process(target=_warn_and_close, args=(own,))
        child.start()
        child.join(20)
        assert child.exitcode == 0
        eventually(lambda: SystemLog.objects.filter(message="of the child").count() == 1)
        assert SystemLog.objects.count() == 2
    finally:
        logger.removeHandler(own)
        own.close()


def _warn_and_close(handler: TableHandler) -> None:
    logger.warning("of the child")
    handler.close()


@pytest.mark.shows("000/5 GET system/logs")
@pytest.mark.django_db
def test_the_log_is_filtered(client: ApiClient) -> None:
    now = timezone.now()
    add("old", at=now - timedelta(days=2))
    add("broken", level="ERROR", request_id="r-1")
    add("deep", level="CRITICAL", logger="system.queue.deep")
    add("other", logger="system.queueing")
    assert messages(client) == ["other", "deep", "broken", "old"]
    assert messages(client, level="ERROR,WARNING") == ["other", "broken", "old"]
    assert messages(client, min_level="ERROR") == ["deep", "broken"]
    assert messages(client, logger="system.queue") == ["deep", "broken", "old"]
    assert messages(client, request_id="r-1") == ["broken"]
    assert messages(client, start_time=(now - timedelta(days=1)).isoformat()) == ["other", "deep", "broken"]
    assert messages(client, end_time=(now - timedelta(days=1)).isoformat()) == ["old"]


@pytest.mark.django_db
@pytest.mark.parametrize("found", ["100%", "a_b", "c\\d", "(a+)+$", "' OR 1=1--", "茶", "BROKEN"])
def test_a_search_is_literal(client: ApiClient, found: str) -> None:
    add("100% a_b c\\d (a+)+$ ' OR 1=1-- 茶 broken")
    add("1000 aXb cd aaaa")
    assert len(messages(client, q=found)) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query", ["q=", f"q={'x' * 201}", "q=%00", "level=LOUD", "min_level=", "start_time=now", "page=0", "sql=1"]
)
def test_a_bad_filter_is_400(client: ApiClient, query: str) -> None:
    client.get(f"system/logs?{query}", expect=400)


@pytest.mark.django_db
def test_the_three_ways_of_paging(client: ApiClient) -> None:
    for number in range(5):
        add(str(number))
    first = client.get("system/logs", page_size=2)
    assert [line["message"] for line in first["items"]] == ["4", "3"]
    assert messages(client, cursor=first["next_cursor"], page_size=2) == ["2", "1"]
    assert messages(client, page=3, page_size=2) == ["0"]
    assert messages(client, offset=1, limit=2) == ["3", "2"]


@pytest.mark.django_db
def test_old_lines_are_forgotten(db: None) -> None:
    for days in (40, 35, 31, 29, 0):
        add(str(days), at=timezone.now() - timedelta(days=days))
    assert retention.forget_log_lines() == 3
    assert [line.message for line in SystemLog.objects.order_by("id")] == ["29", "0"]


@pytest.mark.django_db
def test_the_audit_log_is_filtered(client: ApiClient, viewer: User) -> None:
    with actor_scope(Actor("api", viewer.pk, "viewer", "192.0.2.1")), request_scope("r-2"):
        update_profile(viewer.pk, email="new@example.com")
    line = client.get("system/audit", actor="viewer")["items"][0]
    assert line["action"] == "user.update"
    assert (line["before"], line["after"]) == ({"email": "viewer@example.com"}, {"email": "new@example.com"})
    assert (line["ip"], line["via"], line["request_id"]) == ("192.0.2.1", "api", "r-2")
    for name in ("user_id", "action", "target_type", "target_id", "via", "request_id"):
        assert line in client.get("system/audit", **{name: line[name]})["items"]
    for name, other in (("user_id", 1), ("action", "user.delete"), ("target_id", "x"), ("via", "command")):
        query: dict[str, Any] = {name: other}
        assert client.get("system/audit", actor="viewer", **query)["total"] == 0
    assert client.get("system/audit", actor="viewer", start_time=line["at"], end_time="2100-01-01")["total"] == 1
