"""Authorisations that end: told once for each of the days set; and access tokens are renewed once by many workers."""

import logging
import threading
import time
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from syncjobs.connectors.registry import Credentials
from syncjobs.models import AuthorizationNotice, Source, Webhook, WebhookDelivery
from syncjobs.services.authorizations import tell_of_endings
from syncjobs.services.sources import NewSource, SourceCredentials, add_source
from syncjobs.services.sweep import sweep_jobs
from system.models import Email
from tests.client import ApiClient


def ending_in(**span: int) -> Source:
    return Source.objects.create(name="main", kind="alibaba1688", refresh_expires_at=timezone.now() + timedelta(**span))


@pytest.fixture
def hooked(admin: User) -> Webhook:
    """Somebody who wants to know."""
    return Webhook.objects.create(owner=admin, url="https://8.8.8.8/", events=["source.authorization_expiring"])


@pytest.mark.django_db
def test_somebody_is_told_once_for_each_of_the_days(hooked: Webhook) -> None:
    source = ending_in(days=29, hours=23)
    told = []
    for days in (29, 20, 13, 10, 6, 3, 0, -1, -2):
        ends_at = timezone.now() + timedelta(days=days, hours=12)
        # The same authorisation, looked at later.
        AuthorizationNotice.objects.update(ends_at=ends_at)
        Source.objects.update(refresh_expires_at=ends_at)
        told.append((days, tell_of_endings(), tell_of_endings()))
    assert [days for days, first, _again in told if first] == [29, 13, 6, 0, -1]
    assert not any(again for _days, _first, again in told)
    assert WebhookDelivery.objects.filter(webhook=hooked).count() == 5
    body = msgspec.json.decode(WebhookDelivery.objects.earliest("id").body)
    assert body["data"]["source"]["id"] == source.pk
    assert body["data"]["authorization"]["days_left"] == 29


@pytest.mark.django_db
def test_who_looks_late_tells_once_and_a_new_token_begins_anew() -> None:
    ending_in(days=5)
    assert (tell_of_endings(), tell_of_endings()) == (1, 0)
    Source.objects.update(refresh_expires_at=timezone.now() + timedelta(days=180))
    assert tell_of_endings() == 0
    Source.objects.update(refresh_expires_at=timezone.now() + timedelta(days=6))
    assert tell_of_endings() == 1


@pytest.mark.django_db
def test_a_source_that_is_off_or_never_said_when_it_ends_is_left_alone() -> None:
    ending_in(days=5)
    Source.objects.update(is_enabled=False)
    Source.objects.create(name="second", kind="alibaba1688")
    assert tell_of_endings() == 0


@pytest.mark.django_db
def test_administrators_get_a_letter_where_mail_is_set_up(admin: User, viewer: User, settings: Settings) -> None:
    settings.EMAIL_HOST = "127.0.0.1"
    ending_in(days=5, hours=1)
    tell_of_endings()
    letter = Email.objects.get()
    assert (letter.to, letter.cc) == (admin.email, [])
    assert "main" in letter.subject
    assert mail.outbox == []


@pytest.mark.django_db(transaction=True)
def test_the_system_log_is_told_and_of_many_sweepers_one_tells(caplog: pytest.LogCaptureFixture) -> None:
    ending_in(days=5)
    told: list[int] = []
    together = threading.Barrier(5)

    def look() -> None:
        try:
            together.wait()
            told.append(tell_of_endings())
        finally:
            connection.close()

    with caplog.at_level(logging.WARNING, "syncjobs.services.authorizations"):
        threads = [threading.Thread(target=look) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(told) == 1
    assert len([line for line in caplog.records if "authorisation of source main" in line.getMessage()]) == 1


@pytest.mark.django_db(transaction=True)
def test_the_sweeper_tells(redis_url: str) -> None:
    ending_in(days=5)
    sweep_jobs()
    assert set(AuthorizationNotice.objects.values_list("days", flat=True)) == {7, 14, 30}


@pytest.mark.django_db(transaction=True)
def test_of_thirty_workers_one_renews_the_token(redis_url: str) -> None:
    old = Credentials(app_key="1", app_secret="s", access_token="old", refresh_token="r")
    source = add_source(NewSource(name="main", kind="alibaba1688", credentials=old))
    exchanges: list[str] = []
    taken: list[str] = []

    def exchange(stale: Credentials) -> Credentials:
        exchanges.append(stale.access_token)
        time.sleep(0.1)
        ends_at = datetime(2030, 1, 1, tzinfo=UTC)
        return msgspec.structs.replace(stale, access_token="new", access_expires_at=ends_at)

    def renew() -> None:
        try:
            taken.append(SourceCredentials(source.pk).refresh(old, exchange).access_token)
        finally:
            connection.close()

    threads = [threading.Thread(target=renew) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (exchanges, taken) == (["old"], ["new"] * 30)


@pytest.mark.django_db
def test_the_days_left_are_shown(api: ApiClient, viewer: User) -> None:
    source = ending_in(days=5, hours=1)
    assert api.as_(viewer).get(f"sync/sources/{source.pk}")["authorization_days_left"] == 5


@pytest.mark.django_db
@pytest.mark.parametrize("days", ["", "30,x", "0", "30,,7", "366", "1,2,3,4,5,6,7,8,9,10,11"])
def test_the_days_can_be_changed_but_not_to_nonsense(api: ApiClient, admin: User, days: str) -> None:
    api.as_(admin).put("system/config", {"sync.authorization_warn_days": days}, expect=400)
