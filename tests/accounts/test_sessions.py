"""Renewal, sign-out, and what ends a session."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from pytest_django import Settings
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts import services
from accounts.authentication import forget_everybody
from accounts.models import User
from accounts.services import sessions
from accounts.tasks import forget_expired_tokens
from system.errors import ApplicationError
from system.models import AuditLog
from tests.client import ApiClient
from tests.conftest import HANG_SECONDS, PASSWORD, eventually, somebody_waits

PARALLEL = 50


@pytest.fixture
def session(operator: User) -> dict[str, Any]:
    return services.open_session(operator)


def alive_tokens() -> int:
    return OutstandingToken.objects.filter(blacklistedtoken__isnull=True).count()


def renewed(api: ApiClient, session: dict[str, Any], expect: int = 200) -> Any:
    return api.post("auth/refresh", {"refresh_token": session["refresh_token"]}, expect=expect)


@pytest.mark.shows("000/1 POST auth/refresh")
def test_refresh_answers_a_new_pair(api: ApiClient, session: dict[str, Any]) -> None:
    second = renewed(api, session)
    assert set(second) == set(session)
    assert second["token"] != session["token"]
    assert second["refresh_token"] != session["refresh_token"]
    assert api.with_token(second["token"]).get("auth/profile")["username"] == "operator"


def test_a_used_refresh_token_ends_the_whole_session(api: ApiClient, session: dict[str, Any]) -> None:
    second = renewed(api, session)
    renewed(api, session, expect=401)
    renewed(api, second, expect=401)
    forget_everybody()
    api.with_token(second["token"]).get("auth/profile", expect=401)


def test_another_session_of_the_user_lives_on(api: ApiClient, session: dict[str, Any], operator: User) -> None:
    other = services.open_session(operator)
    renewed(api, session)
    renewed(api, session, expect=401)
    renewed(api, other)


@pytest.mark.django_db(transaction=True)
def test_of_parallel_refreshes_one_wins(session: dict[str, Any]) -> None:
    def attempt(_: int) -> bool:
        try:
            services.refresh(session["refresh_token"])
        except ApplicationError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(PARALLEL) as pool:
        assert sorted(pool.map(attempt, range(PARALLEL))) == [False] * (PARALLEL - 1) + [True]
    # The others used a token again, which ends the family, the winner's token included.
    assert alive_tokens() == 0


@pytest.mark.django_db(transaction=True)
def test_a_sign_out_ends_a_renewal_that_is_under_way(
    session: dict[str, Any], operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewing = Event()
    made = sessions._session

    def slowly(*args: Any) -> dict[str, Any]:
        fresh = made(*args)
        renewing.set()
        eventually(somebody_waits)
        return fresh

    def run(work: Any, *args: Any) -> None:
        try:
            work(*args)
        finally:
            connection.close()

    monkeypatch.setattr(sessions, "_session", slowly)
    with ThreadPoolExecutor(2) as pool:
        renewal = pool.submit(run, services.refresh, session["refresh_token"])
        assert renewing.wait(HANG_SECONDS)
        pool.submit(run, services.logout, operator.pk, session["refresh_token"]).result()
        renewal.result()
    assert alive_tokens() == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda user: User.objects.filter(pk=user.pk).update(status="suspended"),
        lambda user: services.change_password(user, "another horse 1688"),
        lambda user: services.end_sessions(user.pk),
        lambda user: user.delete(),
    ],
    ids=["disabled", "password changed", "sessions ended", "deleted"],
)
def test_a_changed_user_must_sign_in_again(
    api: ApiClient, session: dict[str, Any], operator: User, change: Any
) -> None:
    change(operator)
    forget_everybody()
    assert renewed(api, session, expect=401)["code"] == "E04002"
    api.with_token(session["token"]).get("auth/profile", expect=401)


def test_a_disabled_user_is_out_when_the_state_is_read_again(
    api: ApiClient, session: dict[str, Any], operator: User, settings: LazySettings | Settings
) -> None:
    client = api.with_token(session["token"])
    client.get("auth/profile")
    User.objects.filter(pk=operator.pk).update(status="inactive")
    assert settings.USER_STATE_CACHE_SECONDS <= 5
    settings.USER_STATE_CACHE_SECONDS = 0
    client.get("auth/profile", expect=401)


def test_an_access_token_does_not_refresh(api: ApiClient, session: dict[str, Any]) -> None:
    api.post("auth/refresh", {"refresh_token": session["token"]}, expect=401)


def test_a_refresh_token_does_not_authenticate(api: ApiClient, session: dict[str, Any]) -> None:
    api.with_token(session["refresh_token"]).get("auth/profile", expect=401)


def test_no_token_is_stored_in_clear(session: dict[str, Any]) -> None:
    stored = OutstandingToken.objects.get().token
    assert len(stored) == 64
    assert session["refresh_token"] not in stored


@pytest.mark.shows("000/1 POST auth/logout")
def test_logout_ends_the_session_and_may_be_repeated(api: ApiClient, session: dict[str, Any]) -> None:
    client = api.with_token(session["token"])
    for _ in range(2):
        assert client.post("auth/logout", {"refresh_token": session["refresh_token"]}) is None
    renewed(api, session, expect=401)
    forget_everybody()
    client.get("auth/profile", expect=401)


def test_logout_of_somebody_else_is_not_found(api: ApiClient, session: dict[str, Any], viewer: User) -> None:
    api.as_(viewer).post("auth/logout", {"refresh_token": session["refresh_token"]}, expect=404)
    renewed(api, session)


def test_expired_tokens_are_forgotten_every_night(session: dict[str, Any], settings: Settings) -> None:
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert forget_expired_tokens.name in scheduled
    forget_expired_tokens()
    assert OutstandingToken.objects.count() == 1
    OutstandingToken.objects.update(expires_at=timezone.now())
    forget_expired_tokens()
    assert not OutstandingToken.objects.exists()


def test_signing_in_and_out_and_a_reuse_are_audited(api: ApiClient, operator: User) -> None:
    session = api.post("auth/login", {"username": "operator", "password": PASSWORD})
    renewed(api, session)
    renewed(api, session, expect=401)
    other = services.open_session(operator)
    api.with_token(other["token"]).post("auth/logout", {"refresh_token": other["refresh_token"]})
    lines = AuditLog.objects.filter(action__startswith="session.").order_by("id")
    assert [line.action for line in lines] == ["session.open", "session.reuse", "session.end"]


def test_logout_needs_a_user(api: ApiClient, session: dict[str, Any]) -> None:
    api.post("auth/logout", {"refresh_token": session["refresh_token"]}, expect=401)
    renewed(api, session)
