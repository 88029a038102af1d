"""Who still calls an old version can be asked."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from system import usage
from system.models import ApiUsage
from tests.client import ApiClient

pytestmark = pytest.mark.shows("001/7.2.1")


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    usage._counts.clear()


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
