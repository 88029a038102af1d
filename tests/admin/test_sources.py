"""The pages of sources: secrets go in and never come out."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from syncjobs.models import Source, SyncJob
from syncjobs.services.sources import SourceCredentials
from tests.admin.conftest import CANARY, Pages, Rows, list_of, page_of

FORM: dict[str, Any] = {
    "name": "shop-b",
    "kind": "alibaba1688",
    "is_enabled": "on",
    "app_key": "777",
    "app_secret": f"{CANARY}-b",
    "access_token": "",
    "refresh_token": "",
    "options": '{"gateway_url": "https://gw.open.1688.com/"}',
    "calls_per_second": "5",
    "daily_call_limit": "",
    "hold_at_percent": "90",
    "delist_limit_percent": "15",
    "delist_after_walks": "2",
}


def stored(source: Source) -> Any:
    """The credentials as a connector would get them."""
    return SourceCredentials(source.pk).load()


def test_no_page_ever_shows_a_secret(admin: User, rows: Rows) -> None:
    pages = Pages(admin)
    for model, row in rows(1).items():
        assert CANARY not in pages.get(list_of(model))
        assert CANARY not in pages.get(page_of(row))
    assert CANARY not in pages.get(reverse("admin:index"))


def test_a_refused_form_does_not_send_the_secret_back(operator: User, source: Source) -> None:
    page = Pages(operator).post(page_of(source), FORM | {"app_secret": f"{CANARY}-typed", "options": "[1]"})
    assert CANARY not in page
    assert stored(source).app_secret == CANARY


def test_adding_a_source_stores_its_secrets_encrypted(operator: User, source: Source) -> None:
    Pages(operator).post(reverse("admin:syncjobs_source_add"), FORM)
    added = Source.objects.get(name="shop-b")
    assert stored(added).app_secret == f"{CANARY}-b"
    assert CANARY.encode() not in bytes(added.secrets)
    assert (added.app_key, added.delist_limit_percent, added.is_default) == ("777", 15, False)
    assert not any(CANARY in str(entry.change_message) for entry in LogEntry.objects.all())


def test_empty_secrets_keep_what_is_stored_and_given_ones_replace_it(operator: User, source: Source) -> None:
    end = timezone.now() + timedelta(days=3)
    Source.objects.filter(pk=source.pk).update(access_expires_at=end)
    Pages(operator).post(page_of(source), FORM | {"app_secret": "", "access_token": "new-token"})
    now = stored(source)
    assert (now.app_secret, now.access_token, now.refresh_token) == (CANARY, "new-token", f"{CANARY}-refresh")
    assert (now.app_key, now.access_expires_at) == ("777", None)


def test_a_source_keeps_its_name_and_kind(operator: User, source: Source) -> None:
    Pages(operator).post(page_of(source), FORM | {"name": "renamed", "kind": "feed"})
    source.refresh_from_db()
    assert (source.name, source.kind) == ("shop-a", "alibaba1688")
    assert source.options == {"gateway_url": "https://gw.open.1688.com/"}


def test_naming_another_default_moves_it(operator: User, source: Source) -> None:
    Pages(operator).post(reverse("admin:syncjobs_source_add"), FORM | {"make_default": "on"})
    assert list(Source.objects.filter(is_default=True).values_list("name", flat=True)) == ["shop-b"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Not A Name"},
        {"name": "shop-a"},
        {"kind": "ftp"},
        {"options": "{"},
        {"options": "[]"},
        {"calls_per_second": "0"},
        {"calls_per_second": "nan"},
        {"app_secret": "x" * 3000},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_wrong_form_is_shown_again_and_stores_nothing(wrong: dict[str, str], operator: User, source: Source) -> None:
    page = Pages(operator).post(reverse("admin:syncjobs_source_add"), FORM | wrong)
    assert "errorlist" in page or "errornote" in page
    assert Source.objects.count() == 1


def test_a_viewer_gets_no_fields_for_secrets(viewer: User, source: Source) -> None:
    page = Pages(viewer).get(page_of(source))
    assert 'name="app_secret"' not in page
    assert "12345" in page


@pytest.mark.parametrize(("hours", "tone"), [(-1, "bo-danger"), (5, "bo-warning"), (24 * 30, "bo-success")])
def test_the_list_says_how_long_the_token_lasts(hours: int, tone: str, viewer: User, source: Source) -> None:
    Source.objects.filter(pk=source.pk).update(secrets=b"", access_expires_at=timezone.now() + timedelta(hours=hours))
    assert f'class="bo-badge {tone}"' in Pages(viewer).get(list_of(Source))


def test_secrets_that_cannot_be_read_are_asked_for_anew(operator: User, source: Source) -> None:
    Source.objects.filter(pk=source.pk).update(secrets=b"not ours")
    Pages(operator).post(page_of(source), FORM)
    assert stored(source).app_secret == f"{CANARY}-b"


def test_a_source_cannot_be_deleted(admin: User, source: Source) -> None:
    Pages(admin).post(reverse("admin:syncjobs_source_delete", args=[source.pk]), {"post": "yes"}, expect=403)
    assert not SyncJob.objects.exists()
    assert Source.objects.exists()
