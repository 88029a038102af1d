"""Every list and every page of a row: who may open it, and that its cost does not grow with the rows."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from products.models import Category, Product, Shop
from syncjobs.models import RejectedRecord, Source, SyncBatch, SyncJob, SyncLog, Watermark
from system.models import Task, WorkerPulse
from tests.admin.conftest import Pages, Rows, list_of, page_of

CATALOGUE = [Product, Category, Shop]
SYNC = [Source, SyncJob, SyncBatch, RejectedRecord, SyncLog, Watermark]
SYSTEM = [Task, WorkerPulse]
ALL: list[Any] = CATALOGUE + SYNC + SYSTEM


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_every_list_and_page_of_catalogue_and_sync_opens(role: str, rows: Rows, request: pytest.FixtureRequest) -> None:
    pages = Pages(request.getfixturevalue(role))
    for model, row in rows(2).items():
        if model in CATALOGUE + SYNC:
            assert str(row.pk) in pages.get(list_of(model))
            pages.get(page_of(row))


def test_the_pages_of_the_system_open_for_whoever_may_see_them(
    viewer: User, operator: User, admin: User, rows: Rows
) -> None:
    made = rows(1)
    for user in (viewer, operator, admin):
        for model in SYSTEM:
            expected = 200 if user.has_perm(f"system.view_{model._meta.model_name}") else 403
            Pages(user).get(list_of(model), expect=expected)
            Pages(user).get(page_of(made[model]), expect=expected)
    assert admin.has_perm("system.view_task")


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.__name__)
def test_a_user_without_a_role_is_sent_to_the_login(model: Any, plain_user: User) -> None:
    Pages(plain_user).get(list_of(model), expect=302)
    Pages().get(list_of(model), expect=302)


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.__name__)
def test_a_list_asks_as_many_questions_for_20_rows_as_for_1(model: Any, admin: User, rows: Rows) -> None:
    pages = Pages(admin)
    rows(1)
    few = _questions(pages, model)
    Task.objects.all().delete()
    _clear_but_sources()
    rows(20)
    assert _questions(pages, model) == few


def _questions(pages: Pages, model: Any) -> int:
    pages.get(list_of(model))
    with CaptureQueriesContext(
        connection,
    ) as captured:
        pages.get(list_of(model))
    return len(captured)


def _clear_but_sources() -> None:
    for model in (*CATALOGUE, SyncJob, SyncBatch, RejectedRecord, SyncLog, Watermark, *SYSTEM):
        model._default_manager.all().delete()


@pytest.mark.parametrize("model", [*CATALOGUE, SyncBatch, RejectedRecord, SyncLog, Watermark, *SYSTEM])
def test_machine_written_tables_cannot_be_edited_even_by_a_superuser(model: Any, admin: User, rows: Rows) -> None:
    User.objects.filter(pk=admin.pk).update(is_superuser=True)
    row = rows(1)[model]
    pages = Pages(User.objects.get(pk=admin.pk))
    pages.post(page_of(row), {}, expect=403)
    pages.post(f"{page_of(row)[: -len('change/')]}delete/", {"post": "yes"}, expect=403)
    pages.post(f"{list_of(model)}add/", {}, expect=403)


def test_users_and_schedules_open_for_the_administrator_only(viewer: User, operator: User, admin: User) -> None:
    for name in ("accounts_user", "auth_group", "django_celery_beat_periodictask"):
        address = reverse(f"admin:{name}_changelist")
        Pages(admin).get(address)
        Pages(admin).get(reverse(f"admin:{name}_add"))
        Pages(operator).get(address, expect=403)
        Pages(viewer).get(address, expect=403)


def test_the_tables_of_tokens_have_no_pages(admin: User) -> None:
    Pages(admin).get("/admin/token_blacklist/outstandingtoken/", expect=404)


def test_the_dashboard_shows_every_card(viewer: User, rows: Rows) -> None:
    rows(1)
    page = Pages(viewer).get(reverse("admin:index"))
    for card in ("catalogue", "activity", "workers", "week"):
        assert f'id="card-{card}"' in page


@pytest.mark.parametrize(
    "query",
    [
        {"o": "9999"},
        {"p": "1000000000"},
        {"q": "x" * 10_000},
        {"q": "nul\0byte"},
        {"_facets": "True"},
        {"status__exact": "nonsense"},
        {"status": "nul\0byte"},
        {"category": "9" * 30},
        {"stock": "perhaps"},
    ],
    ids=lambda query: next(iter(query)),
)
def test_odd_parameters_of_a_list_never_break_it(query: dict[str, str], viewer: User, rows: Rows) -> None:
    rows(1)
    assert Pages(viewer).send("GET", list_of(Product), query_params=query).status_code in (200, 302, 400)


def test_an_address_with_a_nul_is_a_bad_request(admin: User) -> None:
    Pages(admin).get(f"{list_of(WorkerPulse)}a\0b/change/", expect=400)


@pytest.mark.parametrize(
    ("model", "lookup"),
    [(Source, "secrets__startswith"), (SyncJob, "source__secrets__startswith"), (Product, "price__gt")],
)
def test_columns_without_a_filter_cannot_be_probed(model: Any, lookup: str, admin: User, rows: Rows) -> None:
    rows(1)
    Pages(admin).get(list_of(model), expect=400, **{lookup: "a"})


def test_a_page_carries_a_policy_without_inline_scripts(viewer: User) -> None:
    policy = Pages(viewer).send("GET", reverse("admin:index")).headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval';" in policy
    assert "default-src 'self'" in policy


def test_pages_hold_no_inline_scripts(admin: User, rows: Rows) -> None:
    for model, row in rows(1).items():
        for address in (list_of(model), page_of(row)):
            page = Pages(admin).get(address)
            scripts = [tag.partition(">")[0] for tag in page.split("<script")[1:]]
            assert all("src=" in tag or "application/json" in tag for tag in scripts), scripts
            assert " onclick=" not in page


def test_pages_speak_chinese_and_english_on_request(viewer: User) -> None:
    assert "仪表盘" in Pages(viewer).get(reverse("admin:index"))
    assert "Dashboard" in Pages(viewer, language="en").get(reverse("admin:index"))


def test_the_language_switch_is_remembered(viewer: User) -> None:
    pages = Pages(viewer)
    switched = pages.post(reverse("admin:set_language"), {"language": "en", "next": reverse("admin:index")})
    assert "Dashboard" in switched or "Dashboard" in pages.get(reverse("admin:index"))
