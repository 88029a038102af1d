"""Schedules over the API."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django_celery_beat.models import PeriodicTask

from accounts.models import User
from syncjobs.models import ScheduleClock, ScheduledRun, Source
from syncjobs.services.schedule_runs import run_due
from system.models import AuditLog
from tests.client import ApiClient

NIGHTLY = {"name": "nightly", "type": "full", "source": "shop", "cron": "0 3 * * *"}


@pytest.fixture
def operate(api: ApiClient, operator: User) -> ApiClient:
    """The API as an operator."""
    return api.as_(operator)


@pytest.fixture
def source(db: None) -> Source:
    """The source that is synced."""
    return Source.objects.create(name="shop", kind="alibaba1688", is_default=True)


@pytest.fixture
def nightly(operate: ApiClient, source: Source) -> dict[str, Any]:
    """A schedule of every night at three in China."""
    made: dict[str, Any] = operate.post("sync/schedules", NIGHTLY, expect=201)
    return made


def ours() -> int:
    """How many schedules there are, beat's other rows left out."""
    return int(PeriodicTask.objects.filter(task="syncjobs.run_schedule").count())


def test_a_schedule_is_read_in_china_unless_said_otherwise(operate: ApiClient, nightly: dict[str, Any]) -> None:
    assert (nightly["timezone"], nightly["is_enabled"], nightly["priority"]) == ("Asia/Shanghai", True, "default")
    assert nightly["config"] == {"batch_size": 100, "max_workers": 5}
    assert nightly["next_run_at"].endswith("T19:00:00Z")
    assert (len(nightly["next_runs"]), nightly["last_run_at"]) == (5, None)
    assert operate.get("sync/schedules")["items"] == [nightly]
    assert operate.get(f"sync/schedules/{nightly['id']}") == nightly


def test_it_may_run_at_an_interval(operate: ApiClient, source: Source) -> None:
    made = operate.post("sync/schedules", {"name": "often", "every_seconds": 900}, expect=201)
    assert (made["every_seconds"], made["cron"], made["source"], made["type"]) == (900, None, None, "incremental")


BAD: list[tuple[dict[str, Any], str]] = [
    ({"name": None}, "name"),
    ({"name": ""}, "name"),
    ({"cron": "* * * * * *"}, "cron"),
    ({"cron": "61 * * * *"}, "cron"),
    ({"cron": "0 0 31 2 *"}, "cron"),
    ({"cron": "@daily"}, "cron"),
    ({"cron": 5}, "cron"),
    ({"cron": None}, "cron"),
    ({"every_seconds": 3600}, "cron"),
    ({"cron": None, "every_seconds": 59}, "every_seconds"),
    ({"cron": None, "every_seconds": 10**9}, "every_seconds"),
    ({"cron": None, "every_seconds": "900"}, "every_seconds"),
    ({"timezone": "Mars"}, "timezone"),
    ({"timezone": "../../etc/passwd"}, "timezone"),
    ({"timezone": ""}, "timezone"),
    ({"start_time": "2020-01-01T00:00:00Z"}, "start_time"),
    ({"start_time": "2030-13-40"}, "start_time"),
    ({"start_time": 5}, "start_time"),
    ({"type": "FULL"}, "type"),
    ({"config": {"batch_size": 0}}, "config"),
    ({"priority": "urgent"}, "priority"),
    ({"category_id": -1}, "category_id"),
    ({"task": "os.system"}, "task"),
    ({"next_run_at": "2030-01-01T00:00:00Z"}, "next_run_at"),
]


@pytest.mark.parametrize(("change", "field"), BAD, ids=[str(change) for change, _ in BAD])
def test_a_schedule_that_makes_no_sense_is_refused_by_field(
    operate: ApiClient, source: Source, change: dict[str, Any], field: str
) -> None:
    error = operate.post("sync/schedules", NIGHTLY | change, expect=400)
    assert field in error["details"]
    assert ours() == 0


def test_an_unknown_source_is_422(operate: ApiClient, source: Source) -> None:
    error = operate.post("sync/schedules", NIGHTLY | {"source": "nowhere"}, expect=422)
    assert error["code"] == "E02003"


def test_a_name_is_taken_once(operate: ApiClient, nightly: dict[str, Any]) -> None:
    assert operate.post("sync/schedules", NIGHTLY, expect=409)["code"] == "E02034"


def test_a_patch_keeps_what_it_does_not_name(operate: ApiClient, nightly: dict[str, Any]) -> None:
    changed = operate.patch(f"sync/schedules/{nightly['id']}", {"config": {"batch_size": 7}, "priority": "low"})
    assert changed == nightly | {"config": {"batch_size": 7, "max_workers": 5}, "priority": "low"}


def test_an_interval_replaces_the_cron_line_and_back(operate: ApiClient, nightly: dict[str, Any]) -> None:
    address = f"sync/schedules/{nightly['id']}"
    changed = operate.patch(address, {"every_seconds": 60})
    assert (changed["cron"], changed["every_seconds"]) == (None, 60)
    back = operate.patch(address, {"cron": "0 4 * * 7", "timezone": "Europe/Berlin"})
    assert (back["cron"], back["every_seconds"], back["timezone"]) == ("0 4 * * 0", None, "Europe/Berlin")
    assert "cron" in operate.patch(address, {"cron": None}, expect=400)["details"]


def test_a_put_describes_it_whole(operate: ApiClient, nightly: dict[str, Any]) -> None:
    whole = operate.put(f"sync/schedules/{nightly['id']}", {"name": "other", "every_seconds": 3600})
    assert (whole["name"], whole["source"], whole["type"], whole["cron"]) == ("other", None, "incremental", None)


def test_what_has_begun_may_be_said_again(operate: ApiClient, nightly: dict[str, Any]) -> None:
    begun = datetime(2025, 1, 1, tzinfo=UTC)
    PeriodicTask.objects.filter(pk=nightly["id"]).update(start_time=begun)
    address = f"sync/schedules/{nightly['id']}"
    said = NIGHTLY | {"start_time": operate.get(address)["start_time"], "cron": "0 4 * * *"}
    assert operate.put(address, said)["start_time"] == "2025-01-01T00:00:00Z"
    operate.put(address, said | {"start_time": "2025-01-02T00:00:00Z"}, expect=400)


def test_switched_off_it_has_no_next_run(operate: ApiClient, nightly: dict[str, Any]) -> None:
    changed = operate.patch(f"sync/schedules/{nightly['id']}", {"is_enabled": False})
    assert (changed["next_run_at"], changed["next_runs"]) == (None, [])
    assert operate.get("sync/schedules", is_enabled="true")["items"] == []


def test_a_stale_etag_is_412(operate: ApiClient, nightly: dict[str, Any]) -> None:
    address = f"sync/schedules/{nightly['id']}"
    operate.get(address)
    known = {"If-Match": operate.last.headers["ETag"]}
    PeriodicTask.objects.filter(pk=nightly["id"]).update(total_run_count=9, date_changed=datetime.now(UTC))
    operate.patch(address, {"priority": "low"}, headers=known)
    operate.patch(address, {"priority": "critical"}, headers=known, expect=412)
    operate.delete(address, headers=known, expect=412)


def test_a_change_in_the_back_office_makes_an_etag_stale(operate: ApiClient, nightly: dict[str, Any]) -> None:
    address = f"sync/schedules/{nightly['id']}"
    operate.get(address)
    known = {"If-Match": operate.last.headers["ETag"]}
    PeriodicTask.objects.filter(pk=nightly["id"]).update(kwargs='{"type": "full"}')
    operate.patch(address, {"priority": "low"}, headers=known, expect=412)


def test_the_last_slot_is_shown_with_its_reason(operate: ApiClient, nightly: dict[str, Any], source: Source) -> None:
    Source.objects.update(is_enabled=False)
    ScheduleClock.objects.update(next_slot=datetime(2026, 11, 17, 19, tzinfo=UTC))
    run_due(datetime(2026, 11, 17, 19, 0, 5, tzinfo=UTC))
    shown = operate.get(f"sync/schedules/{nightly['id']}", headers={"Accept-Language": "en"})
    assert shown["last_run_at"] == "2026-11-17T19:00:00Z"
    assert shown["last_run"] == {
        "slot": "2026-11-17T19:00:00Z",
        "status": "refused",
        "task_id": None,
        "code": "E02004",
        "reason": "The source is switched off",
    }


def test_a_removed_schedule_leaves_nothing_behind(operate: ApiClient, nightly: dict[str, Any]) -> None:
    ScheduledRun.objects.create(schedule_id=nightly["id"], slot=datetime.now(UTC), state="missed")
    operate.delete(f"sync/schedules/{nightly['id']}")
    operate.delete(f"sync/schedules/{nightly['id']}", expect=404)
    assert (ours(), ScheduleClock.objects.count(), ScheduledRun.objects.count()) == (0, 0, 0)
    actions = AuditLog.objects.filter(target_type="schedule").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["schedule.create", "schedule.delete"]


def test_beats_other_rows_are_none_of_the_apis(operate: ApiClient, nightly: dict[str, Any]) -> None:
    PeriodicTask.objects.filter(pk=nightly["id"]).update(task="system.sweep")
    for call in (operate.get, operate.delete):
        call(f"sync/schedules/{nightly['id']}", expect=404)
    operate.patch(f"sync/schedules/{nightly['id']}", {"is_enabled": False}, expect=404)
    assert operate.get("sync/schedules")["items"] == []


@pytest.mark.parametrize("address", ["abc", "0", "-1", "2147483648", "99999999999999999999", "%00"])
def test_an_id_that_names_nothing_is_404(operate: ApiClient, address: str) -> None:
    operate.get(f"sync/schedules/{address}", expect=404)


def test_a_viewer_looks_and_changes_nothing(operate: ApiClient, nightly: dict[str, Any], viewer: User) -> None:
    watch, address = operate.as_(viewer), f"sync/schedules/{nightly['id']}"
    assert watch.get(address) == nightly
    watch.post("sync/schedules", NIGHTLY | {"name": "second"}, expect=403)
    watch.put(address, NIGHTLY, expect=403)
    watch.patch(address, {"is_enabled": False}, expect=403)
    watch.delete(address, expect=403)
    assert operate.get(address) == nightly
