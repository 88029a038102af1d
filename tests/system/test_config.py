"""Runtime settings: a closed list, checked whole before anything is written, audited, never a secret."""

import logging
from typing import Any

import pytest
from django.conf import settings

from accounts.models import User
from syncjobs.services.jobs import StartSync
from system import runtime
from system.models import AuditLog, Setting
from tests.api.limits.conftest import STOCK
from tests.architecture.source import PROJECT
from tests.client import ApiClient

pytestmark = pytest.mark.django_db

ADDRESS = "system/config"


@pytest.fixture
def client(admin: User) -> ApiClient:
    """The administrator."""
    return ApiClient().as_(admin)


def changed(*pairs: tuple[str, Any]) -> dict[str, Any]:
    return {"settings": [{"key": key, "value": value} for key, value in pairs]}


def shown(client: ApiClient) -> dict[str, dict[str, Any]]:
    return {setting["key"]: setting for setting in client.get(ADDRESS)["settings"]}


@pytest.mark.shows("000/5 GET system/config")
def test_all_settings_are_shown_with_their_bounds(client: ApiClient) -> None:
    found = shown(client)
    assert found["logs.retention_days"] | {"group": "", "description": ""} == {
        "key": "logs.retention_days",
        "value": 30,
        "default": 30,
        "type": "integer",
        "minimum": 1,
        "maximum": 365,
        "choices": [],
        "group": "",
        "description": "",
        "changed_by": None,
        "changed_at": None,
    }
    assert found["logs.level"]["choices"] == ["DEBUG", "INFO", "WARNING", "ERROR"]
    assert found.keys() == runtime.definitions().keys()


@pytest.mark.shows("000/5 PUT system/config")
def test_a_change_counts_at_once_here_and_names_who_made_it(client: ApiClient) -> None:
    answer = client.call("PUT", ADDRESS, changed(("sync.batch_size_default", 50)))
    assert {row["key"]: row["value"] for row in answer["settings"]}["sync.batch_size_default"] == 50
    runtime.refresh()
    assert StartSync(type="full").batch_size == 50
    assert shown(client)["sync.batch_size_default"]["changed_by"] == "admin"


def test_null_takes_a_setting_back_to_its_default(client: ApiClient) -> None:
    client.put(ADDRESS, changed(("idempotency.hours", 7)))
    client.put(ADDRESS, changed(("idempotency.hours", None)))
    assert shown(client)["idempotency.hours"]["value"] == 24
    assert not Setting.objects.exists()


def test_before_and_after_are_audited(client: ApiClient) -> None:
    client.put(ADDRESS, changed(("idempotency.hours", 7), ("logs.level", "WARNING")))
    client.put(ADDRESS, changed(("idempotency.hours", None)))
    lines = AuditLog.objects.filter(target_type="setting").order_by("id")
    assert [(line.target_id, line.before, line.after, line.actor) for line in lines] == [
        ("idempotency.hours", {"value": 24}, {"value": 7}, "admin"),
        ("logs.level", {"value": "INFO"}, {"value": "WARNING"}, "admin"),
        ("idempotency.hours", {"value": 7}, {"value": 24}, "admin"),
    ]


def test_the_same_value_again_is_no_change(client: ApiClient) -> None:
    for _ in range(2):
        client.put(ADDRESS, changed(("idempotency.hours", 7)))
    assert AuditLog.objects.filter(target_type="setting").count() == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("nonsense", 1),
        ("SECRET_KEY", "x"),
        ("DEBUG", True),
        ("DATABASE_URL", "postgresql://x"),
        ("logs.retention_days", 0),
        ("logs.retention_days", 366),
        ("sync.delist_limit_percent", "50"),
        ("sync.delist_limit_percent", True),
        ("sync.delist_limit_percent", 1.5),
        ("sync.delist_limit_percent", [1]),
        ("throttle.free", 100),
        ("throttle.free", {"a": 1}),
        ("throttle.free", "100 per hour"),
        ("throttle.free", "0/hour"),
        ("throttle.login", "unlimited"),
        ("throttle.anonymous", "unlimited"),
        ("sync.max_workers_default", 33),
        ("logs.level", "LOUD"),
        ("logs.level", 10),
        ("logs.level", ["INFO"]),
    ],
)
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_what_does_not_fit_is_named_and_nothing_is_written(admin: User, version: str, key: str, value: Any) -> None:
    client = ApiClient(version=version).as_(admin)
    error = client.put(ADDRESS, changed(("sync.batch_size_default", 10), (key, value)), expect=400)
    assert set(error["details"]) == {key}
    assert not Setting.objects.exists()
    assert not AuditLog.objects.filter(target_type="setting").exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"settings": []},
        {"settings": {"throttle.free": 1}},
        {"settings": [{"key": "throttle.free"}]},
        {"settings": [{"key": "throttle.free", "value": 1, "x": 2}]},
        {"settings": [{"key": "throttle.free", "value": 1}] * 2},
        {"settings": ["throttle.free"]},
    ],
)
def test_another_form_is_400(client: ApiClient, body: dict[str, Any]) -> None:
    client.put(ADDRESS, body, expect=400)


def test_of_two_who_read_the_same_state_one_writes(client: ApiClient) -> None:
    client.get(ADDRESS)
    etag = client.last.headers["ETag"]
    client.put(ADDRESS, changed(("idempotency.hours", 7)), headers={"If-Match": etag})
    newer = client.last.headers["ETag"]
    client.put(ADDRESS, changed(("idempotency.hours", 8)), expect=412, headers={"If-Match": etag})
    assert shown(client)["idempotency.hours"]["value"] == 7
    client.put(ADDRESS, changed(("idempotency.hours", 8)), headers={"If-Match": newer})


def test_an_unchanged_state_is_304(client: ApiClient) -> None:
    client.get(ADDRESS)
    headers = {"If-None-Match": client.last.headers["ETag"]}
    assert client.send("GET", ADDRESS, headers=headers).status_code == 304


def test_no_secret_is_shown(client: ApiClient) -> None:
    text = client.send("GET", ADDRESS).content.decode()
    secrets = (
        settings.SECRET_KEY,
        settings.SIMPLE_JWT["SIGNING_KEY"],
        settings.REDIS_URL,
        settings.CREDENTIALS_KEYS[0],
    )
    assert not [secret for secret in secrets if secret in text]
    assert "postgresql://" not in text


def test_a_stored_value_that_no_longer_fits_is_not_used(db: None) -> None:
    Setting.objects.create(key="idempotency.hours", value=-1)
    runtime.forget()
    assert runtime.integer("idempotency.hours") == 24


def test_while_the_database_is_away_the_last_known_values_count(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    client.put(ADDRESS, changed(("idempotency.hours", 7)))
    runtime.refresh()
    monkeypatch.setattr("system.models.Setting.objects.values_list", _raise(OperationalError()))
    runtime.forget()
    assert runtime.integer("idempotency.hours") == 7


def _raise(error: Exception) -> Any:
    def fail(*_: Any) -> None:
        raise error

    return fail


def test_the_log_level_is_applied(client: ApiClient) -> None:
    before = logging.getLogger().level
    client.put(ADDRESS, changed(("logs.level", "ERROR")))
    runtime.refresh()
    assert logging.getLogger().level == logging.ERROR
    client.put(ADDRESS, changed(("logs.level", None)))
    runtime.refresh()
    assert logging.getLogger().level == logging.INFO
    logging.getLogger().setLevel(before)


def test_a_changed_rate_limits_at_once(client: ApiClient, plain_user: User, redis_url: str) -> None:
    user = ApiClient().as_(plain_user)
    client.put(ADDRESS, changed(("throttle.free", "2/hour")))
    runtime.refresh()
    for _ in range(2):
        user.get("auth/profile")
    assert user.last.headers["X-RateLimit-Limit"] == "2"
    user.get("auth/profile", expect=429)
    client.put(ADDRESS, changed(("throttle.free", None)))
    runtime.refresh()
    user.get("auth/profile")


def test_the_documents_list_every_setting_with_its_default_and_bounds() -> None:
    text = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = text.partition("| setting | default | allowed |\n|---|---|---|\n")[2].partition("\n\n")[0]
    assert table.splitlines() == [documented(setting) for setting in runtime.definitions().values()]


def documented(setting: runtime.Definition) -> str:
    """The row of the table."""
    default, allowed = setting.default, ", ".join(setting.choices)
    if setting.kind == "integer":
        allowed = f"{setting.minimum} to {setting.maximum}"
    elif setting.key.startswith("throttle."):
        # The tests have limits of their own.
        default, allowed = STOCK[setting.key.removeprefix("throttle.")], "a rate"
    elif setting.key.endswith("_days"):
        allowed = "up to ten numbers from 1 to 365"
    return f"| `{setting.key}` | {default} | {allowed} |"
