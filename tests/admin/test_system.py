"""The pages of settings, system log and audit log, and in whose name the back office acts."""

import pytest
from django.urls import reverse

from accounts.models import User
from syncjobs.models import Source
from system import runtime
from system.models import AuditLog, Setting, SystemLog
from tests.admin.conftest import Pages, deed_on, list_of, page_of

SETTINGS = "admin:system_setting_changelist"


def form(**changed: str) -> dict[str, str]:
    """What the form sends: every setting, most of them empty."""
    return dict.fromkeys(runtime.definitions(), "") | changed


@pytest.fixture
def line(db: None) -> SystemLog:
    """A line with something to escape."""
    return SystemLog.objects.create(level="ERROR", logger="x", message="<script>alert(1)</script>", context={"a": 1})


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_only_administrators_open_settings_and_logbooks(
    role: str, request: pytest.FixtureRequest, line: SystemLog
) -> None:
    pages = Pages(request.getfixturevalue(role))
    for model in (SystemLog, AuditLog, Setting):
        pages.get(list_of(model), expect=403)
    pages.get(page_of(line), expect=403)
    pages.post(reverse(SETTINGS), form(), expect=403)
    assert list_of(AuditLog) not in pages.get(reverse("admin:index"))


def test_a_setting_is_saved_by_the_service(admin: User) -> None:
    pages = Pages(admin)
    assert 'name="idempotency.hours"' in pages.get(reverse(SETTINGS))
    pages.post(reverse(SETTINGS), form(**{"idempotency.hours": "7"}) | {"version": "0"})
    assert Setting.objects.get().value == 7
    audited = AuditLog.objects.get(target_type="setting")
    assert (audited.via, audited.actor, audited.user_id, audited.ip) == ("admin", "admin", admin.pk, "127.0.0.1")
    assert audited.request_id


def test_a_bad_value_and_a_stale_form_are_told(admin: User) -> None:
    pages = Pages(admin)
    pages.post(reverse(SETTINGS), form(**{"idempotency.hours": "0"}) | {"version": "0"})
    assert not Setting.objects.exists()
    pages.post(reverse(SETTINGS), form(**{"idempotency.hours": "7"}) | {"version": "0"})
    pages.post(reverse(SETTINGS), form(**{"idempotency.hours": "8"}) | {"version": "0"})
    assert Setting.objects.get().value == 7


def test_the_logbooks_are_searched_and_read(admin: User, line: SystemLog) -> None:
    pages = Pages(admin)
    SystemLog.objects.create(level="WARNING", logger="y", message="quiet")
    shown = pages.get(list_of(SystemLog), q="alert")
    assert "quiet" not in shown
    assert "<script>alert" not in shown + pages.get(page_of(line))
    assert "quiet" in pages.get(list_of(SystemLog), level="WARNING")
    assert "quiet" not in pages.get(list_of(SystemLog), logger="x")
    audited = AuditLog.objects.create(via="api", actor="somebody", action="a.b", target_type="a", before={"x": "<b>"})
    assert "somebody" in pages.get(list_of(AuditLog), actor="somebody")
    assert "a.b" in pages.get(page_of(audited))


@pytest.mark.parametrize("model", [SystemLog, AuditLog])
def test_the_logbooks_cannot_be_changed(admin: User, line: SystemLog, model: type[SystemLog | AuditLog]) -> None:
    User.objects.filter(pk=admin.pk).update(is_superuser=True)
    row = line if model is SystemLog else AuditLog.objects.create(via="api", action="a.b", target_type="a")
    pages = Pages(User.objects.get(pk=admin.pk))
    pages.post(page_of(row), {}, expect=403)
    pages.post(f"{page_of(row)[: -len('change/')]}delete/", {"post": "yes"}, expect=403)
    assert type(row).objects.filter(pk=row.pk).exists()


def test_a_button_is_pressed_in_the_name_of_who_is_signed_in(operator: User, source: Source, redis_url: str) -> None:
    Pages(operator).post(deed_on(source, "start-full"))
    audited = AuditLog.objects.get(action="sync.start")
    assert (audited.via, audited.actor, audited.user_id) == ("admin", "operator", operator.pk)
