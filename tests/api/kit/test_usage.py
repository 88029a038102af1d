"""Who still calls an old version can be asked."""

import json
import os
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DataError, OperationalError
from django.utils import timezone

from accounts.models import User
from system import retention, usage
from system.models import ApiUsage
from tests.client import ApiClient

pytestmark = pytest.mark.shows("001/7.2.1")


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    usage._begin_anew()


def report(*options: str) -> str:
    out = StringIO()
    call_command("api_migration_report", *options, stdout=out)
    return out.getvalue()


def test_the_report_names_clients_and_routes_of_the_old_version(api: ApiClient, viewer: User) -> None:
    client = api.as_(viewer)
    for _ in range(3):
        client.get("sync/jobs", headers={"X-Client-Version": "1.4.2"})
    client.get("sync/jobs/sync_20990101_001", expect=404)
    ApiClient(version="v2").as_(viewer).get("sync/jobs")
    usage.flush()
    found = json.loads(report("--json"))
    assert [(row["user"], row["client_version"], row["calls"]) for row in found["clients"]] == [
        ("viewer", "1.4.2", 3),
        ("viewer", "", 1),
    ]
    assert {(row["method"], row["route"]) for row in found["routes"]} == {
        ("GET", "sync/jobs"),
        ("GET", "sync/jobs/<task_id>"),
    }


def test_counts_add_up_over_processes(api: ApiClient, viewer: User) -> None:
    client = api.as_(viewer)
    for _ in range(2):
        client.get("sync/jobs")
        usage.flush()
    assert ApiUsage.objects.get(version="v1").calls == 2


@pytest.mark.django_db
def test_the_report_reads_well_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    usage.note(usage.Call("v1", "GET", "products", 0, 0, ""))
    usage.flush()
    report()
    report("--api-version", "v2")
    shown = capsys.readouterr().out
    assert "products" in shown
    assert "Nobody called v2" in shown


@pytest.mark.django_db
@pytest.mark.parametrize("options", [("--days", "0"), ("--api-version", "v9")])
def test_wrong_options_are_told(options: tuple[str, str]) -> None:
    with pytest.raises(CommandError):
        report(*options)


def test_a_long_made_up_method_does_not_spoil_the_count_of_the_others(api: ApiClient, viewer: User) -> None:
    client = api.as_(viewer)
    client.send("UNSUBSCRIBE", "sync/jobs")
    client.get("sync/jobs")
    usage.flush()
    assert set(ApiUsage.objects.values_list("method", "calls")) == {("OTHER", 1), ("GET", 1)}


def call(client_version: str = "", user_id: int = 0) -> usage.Call:
    return usage.Call("v1", "GET", "products", user_id, 0, client_version)


@pytest.mark.django_db
def test_made_up_client_versions_fill_neither_memory_nor_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "MOST_VERSIONED", 2)
    monkeypatch.setattr(usage, "MOST_DISTINCT", 4)
    for number in range(9):
        usage.note(call(f"1.0.{number}"))
        usage.flush()
    assert dict(ApiUsage.objects.values_list("client_version", "calls")) == {"1.0.0": 1, "1.0.1": 1, "": 7}
    for user in range(9):
        usage.note(call(user_id=user))
    assert len(usage._counts) == 2


@pytest.mark.parametrize(("problem", "kept"), [(OperationalError("away"), 1), (DataError("too long"), 0)])
def test_what_cannot_be_written_now_is_kept_and_what_never_can_be_is_not(
    monkeypatch: pytest.MonkeyPatch, problem: Exception, kept: int
) -> None:
    def refuse(*_: object) -> None:
        raise problem

    monkeypatch.setattr("system.usage.sql.execute", refuse)
    usage.note(call())
    usage.flush()
    assert usage._counts.total() == kept


def test_a_child_does_not_count_again_what_its_parent_counted() -> None:
    usage.note(call())
    child = os.fork()
    if child == 0:
        os._exit(usage._counts.total())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert usage._counts.total() == 1


@pytest.mark.django_db
def test_counts_that_no_report_reaches_go() -> None:
    today = timezone.now().date()
    for days in (usage.KEPT_DAYS + 1, usage.KEPT_DAYS - 1):
        ApiUsage.objects.create(day=today - timedelta(days=days), version="v1", method="GET", route="products", calls=1)
    assert retention.forget_usage() == 1
    assert ApiUsage.objects.get().day == today - timedelta(days=usage.KEPT_DAYS - 1)
