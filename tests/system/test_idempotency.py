"""Idempotency-Key: done once, answered again, whatever happens in between."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import override_settings
from django.urls import path
from django.utils import timezone
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from system import audit, retention
from system.api.permissions import IsUser
from system.api.views import ApiViewSet
from system.errors import ApplicationError, ErrorCode
from system.models import AuditLog, IdempotencyKey
from tests.client import ApiClient, opened
from tests.conftest import HANG_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)

KEY = {"Idempotency-Key": "order-1"}
PARALLEL = 50


class DeedViewSet(ApiViewSet):
    """Writes an audit line for each time it runs; `before_answer` is called when it has."""

    permission_classes = [IsUser]
    idempotent_exempt = frozenset({"secret"})
    idempotent_outside = frozenset({"slow"})
    before_answer: Callable[[], None] = staticmethod(lambda: None)

    def act(self, request: Request) -> Response:
        """Do it."""
        audit.record("deed.do", "deed", after={"body": request.data})
        type(self).before_answer()
        made = {"deeds": deeds(), "in_transaction": connection.in_atomic_block, "price_min": 1.5, "名": "茶"}
        return self.reply(made, message="done", status=201, headers={"Location": "/deeds/1"})

    def slow(self, request: Request) -> Response:
        """Do it without a transaction."""
        return self.act(request)

    def secret(self, request: Request) -> Response:
        """Answers with a secret."""
        return self.act(request)

    def refuse(self, request: Request) -> Response:
        """Do it, then answer with an error that was not raised."""
        self.act(request)
        return Response(ApplicationError(ErrorCode.CONFLICT), status=409)


urlpatterns = [
    path(f"api/<version:version>/{name}", DeedViewSet.as_view({"post": action, "put": "act", "get": "act"}))
    for name, action in (("deeds", "act"), ("slow", "slow"), ("secret", "secret"), ("refuse", "refuse"))
]


@pytest.fixture(autouse=True)
def routes() -> Iterator[None]:
    """The addresses of this module take the place of the project's."""
    with override_settings(ROOT_URLCONF=__name__):
        yield


@pytest.fixture
def client(plain_user: User) -> ApiClient:
    """A signed-in caller."""
    return ApiClient().as_(plain_user)


def deeds() -> int:
    return AuditLog.objects.filter(action="deed.do").count()


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("address", ["deeds", "slow"])
def test_the_same_request_gets_the_same_answer_and_is_done_once(plain_user: User, address: str, version: str) -> None:
    client = ApiClient(version=version).as_(plain_user)
    first = client.post(address, {"a": 1}, expect=201, headers=KEY)
    assert "Idempotent-Replayed" not in client.last.headers
    again = client.post(address, {"a": 1}, expect=201, headers=KEY)
    assert again == first
    assert client.last.headers["Idempotent-Replayed"] == "true"
    assert client.last.headers["Location"] == "/deeds/1"
    assert client.last.json()["message"] == "done"
    assert client.last.headers["Cache-Control"] == "private"
    assert deeds() == 1


def test_time_and_request_id_are_those_of_the_answer_itself(client: ApiClient) -> None:
    client.post("deeds", {}, expect=201, headers=KEY | {"X-Request-ID": "one"})
    client.post("deeds", {}, expect=201, headers=KEY | {"X-Request-ID": "two"})
    assert client.last.json()["request_id"] == "two"


def test_work_that_waits_for_others_holds_no_transaction(client: ApiClient) -> None:
    assert client.post("deeds", {}, expect=201, headers=KEY)["in_transaction"] is True
    assert client.post("slow", {}, expect=201, headers={"Idempotency-Key": "b"})["in_transaction"] is False


@pytest.mark.parametrize("address", ["deeds", "slow"])
def test_parallel_requests_are_done_once(client: ApiClient, plain_user: User, address: str) -> None:
    statuses: list[tuple[int, str | None]] = []
    barrier = threading.Barrier(PARALLEL)

    def send() -> None:
        barrier.wait()
        answer = client_of(client).send("POST", address, {"a": 1}, headers=KEY)
        statuses.append((answer.status_code, answer.headers.get("Idempotent-Replayed")))
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(PARALLEL)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counted = Counter(statuses)
    assert deeds() == 1
    assert counted[201, None] == 1
    assert counted[201, None] + counted[201, "true"] + counted[409, None] == PARALLEL


def client_of(client: ApiClient) -> ApiClient:
    """Another client with the same token: one object is no place for many threads."""
    return ApiClient(client._headers["Authorization"].removeprefix("Bearer "))


def test_while_the_first_runs_the_second_is_told_to_wait(client: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, leave = threading.Event(), threading.Event()

    def wait() -> None:
        entered.set()
        leave.wait(HANG_SECONDS)

    monkeypatch.setattr(DeedViewSet, "before_answer", staticmethod(wait))
    answers: list[int] = []

    def send() -> None:
        answers.append(client_of(client).send("POST", "deeds", {}, headers=KEY).status_code)
        connection.close()

    first = threading.Thread(target=send)
    first.start()
    assert entered.wait(HANG_SECONDS)
    error = client.post("deeds", {}, expect=409, headers=KEY)
    assert error["code"] == "E05001"
    assert client.last.headers["Retry-After"] == "1"
    leave.set()
    first.join()
    assert answers == [201]
    client.post("deeds", {}, expect=201, headers=KEY)
    assert deeds() == 1


@pytest.mark.parametrize(("address", "body"), [("deeds", {"a": 2}), ("deeds?x=1", {"a": 1}), ("slow", {"a": 1})])
def test_another_request_under_the_same_key_is_422(client: ApiClient, address: str, body: dict[str, int]) -> None:
    client.post("deeds", {"a": 1}, expect=201, headers=KEY)
    assert client.post(address, body, expect=422, headers=KEY)["code"] == "E00012"
    assert deeds() == 1


def test_the_same_call_of_another_version_is_another_request(client: ApiClient, plain_user: User) -> None:
    client.post("deeds", {"a": 1}, expect=201, headers=KEY)
    ApiClient(version="v2").as_(plain_user).post("deeds", {"a": 1}, expect=422, headers=KEY)


def test_the_tolerated_slash_makes_no_other_request(client: ApiClient) -> None:
    urlpatterns.append(path("api/<version:version>/deeds/", DeedViewSet.as_view({"post": "act"})))
    client.post("deeds", {"a": 1}, expect=201, headers=KEY)
    client.post("deeds/", {"a": 1}, expect=201, headers=KEY)
    assert deeds() == 1


def test_keys_of_other_users_are_other_keys(client: ApiClient, viewer: User) -> None:
    client.post("deeds", {"a": 1}, expect=201, headers=KEY)
    ApiClient().as_(viewer).post("deeds", {"a": 2}, expect=201, headers=KEY)
    assert deeds() == 2


def test_an_expired_key_is_new(client: ApiClient) -> None:
    client.post("deeds", {"a": 1}, expect=201, headers=KEY)
    age(hours=25)
    client.post("deeds", {"a": 2}, expect=201, headers=KEY)
    client.post("deeds", {"a": 2}, expect=201, headers=KEY)
    assert deeds() == 2


def age(hours: int) -> None:
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=hours))


@pytest.mark.parametrize("error", [ApplicationError(ErrorCode.CONFLICT), RuntimeError("boom")])
def test_an_error_undoes_everything_and_may_be_tried_again(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail() -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(DeedViewSet, "before_answer", staticmethod(fail))
        assert client.send("POST", "deeds", {}, headers=KEY).status_code in {409, 500}
    assert deeds() == 0
    assert not IdempotencyKey.objects.exists()
    client.post("deeds", {}, expect=201, headers=KEY)
    assert deeds() == 1


def test_an_error_that_is_answered_instead_of_raised_undoes_everything(client: ApiClient) -> None:
    client.post("refuse", {}, expect=409, headers=KEY)
    assert deeds() == 0
    assert not IdempotencyKey.objects.exists()


def test_an_error_outside_of_a_transaction_frees_the_key(client: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ApplicationError(ErrorCode.UPSTREAM_FAILED)

    with monkeypatch.context() as patch:
        patch.setattr(DeedViewSet, "before_answer", staticmethod(fail))
        client.post("slow", {}, expect=502, headers=KEY)
    client.post("slow", {}, expect=201, headers=KEY)


def test_a_crash_between_commit_and_answer_loses_nothing(client: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(DeedViewSet, "finalize_response", die)
        with pytest.raises(KeyboardInterrupt):
            client.send("POST", "deeds", {"a": 1}, headers=KEY)
    assert deeds() == 1
    client.post("deeds", {"a": 1}, expect=201, headers=KEY)
    assert client.last.headers["Idempotent-Replayed"] == "true"
    assert deeds() == 1


def test_what_is_to_happen_on_commit_happens_once_and_after_it(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    bells: list[int] = []
    monkeypatch.setattr(
        DeedViewSet,
        "before_answer",
        staticmethod(lambda: transaction.on_commit(lambda: bells.append(IdempotencyKey.objects.count()))),
    )
    client.post("deeds", {}, expect=201, headers=KEY)
    client.post("deeds", {}, expect=201, headers=KEY)
    assert bells == [1]


@pytest.mark.parametrize("key", ["", "k" * 256, "schlüssel", "键", "one two", "one,two", "tab\t"])
def test_a_bad_key_is_400_and_names_the_header(client: ApiClient, key: str) -> None:
    error = client.post("deeds", {}, expect=400, headers={"Idempotency-Key": key})
    assert "Idempotency-Key" in error["details"]
    assert deeds() == 0


@pytest.mark.parametrize("key", ["k", "k" * 255, "!~-_.:/+", '"8e03978e-40d5-43dd-bc93-6894a57f9324"'])
def test_visible_ascii_is_a_key(client: ApiClient, key: str) -> None:
    client.post("deeds", {}, expect=201, headers={"Idempotency-Key": key})
    client.post("deeds", {}, expect=201, headers={"Idempotency-Key": key})
    assert deeds() == 1


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_other_methods_ignore_the_header(client: ApiClient, method: str) -> None:
    for _ in range(2):
        client.call(method, "deeds", {"a": 1}, expect=201, headers={"Idempotency-Key": "ü"})
    assert deeds() == 2
    assert not IdempotencyKey.objects.exists()


def test_answers_with_secrets_are_not_kept(client: ApiClient) -> None:
    for _ in range(2):
        client.post("secret", {}, expect=201, headers=KEY)
    assert deeds() == 2
    assert not IdempotencyKey.objects.exists()


def test_what_is_kept_of_a_request_is_no_way_to_guess_the_password_in_it(client: ApiClient, settings: Settings) -> None:
    client.post("deeds", {"password": "guessable"}, expect=201, headers=KEY)
    settings.SECRET_KEY = "another installation's"
    client.post("deeds", {"password": "guessable"}, expect=422, headers=KEY)


def test_long_answers_are_kept_whole(client: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    long = {"items": ["茶" * 1000] * 200}
    monkeypatch.setattr(DeedViewSet, "reply", lambda *_, **__: Response(long, status=200))
    first = client.send("POST", "deeds", {}, headers=KEY)
    assert opened(client.send("POST", "deeds", {}, headers=KEY)) == opened(first) == long


def test_old_answers_are_forgotten_and_young_ones_kept(client: ApiClient) -> None:
    client.post("deeds", {}, expect=201, headers=KEY)
    age(hours=25)
    client.post("deeds", {}, expect=201, headers={"Idempotency-Key": "young"})
    assert retention.forget_answers() == 1
    assert [row.key for row in IdempotencyKey.objects.all()] == ["young"]
