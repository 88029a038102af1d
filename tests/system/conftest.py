"""Bells without a broker, handlers of the test's own, and a mail server on a real socket."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings

from system import sql, task_kinds
from system.models import Task
from system.queue import Bell
from system.task_context import TaskContext
from tests.system.smtp import SmtpSink

# The same message sent again: the process that had it before is dead. And the entry of what that process claimed.
REDELIVERED = Bell(name="bell", tries=1)
CLAIMED = '{"bell": "bell", "try": 0}'

Work = Callable[[dict[str, Any], TaskContext], Any]


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks rung for, instead of a broker."""
    rung: list[str] = []

    def send(_name: str, *, kwargs: dict[str, str], **_options: object) -> None:
        rung.append(kwargs["task_id"])

    monkeypatch.setattr("system.queue.current_app.send_task", send)
    monkeypatch.setattr("system.queue._broker_down_until", 0.0)
    return rung


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Registers a handler for as long as the test lasts."""

    def register(kind: str, handler: Work, **treatment: Any) -> None:
        monkeypatch.setitem(task_kinds.handlers, kind, handler)
        monkeypatch.setitem(task_kinds._kinds, kind, task_kinds.Kind(**treatment))

    return register


@pytest.fixture
def mail(settings: Settings) -> Iterator[SmtpSink]:
    """The mail server, as EMAIL_URL would name it."""
    sink = SmtpSink()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
    settings.DEFAULT_FROM_EMAIL = "1688sync <sync@shop.example>"
    yield sink
    sink.close()


def fresh(task: Task) -> Task:
    """The row as it is now."""
    return Task.objects.get(pk=task.pk)


def due_now() -> None:
    """Let the time pass that tasks wait for."""
    sql.execute("UPDATE system_task SET not_before = now() - interval '1 second' WHERE not_before IS NOT NULL")
