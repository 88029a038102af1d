"""Envelopes, headers and errors, whoever made them."""

import json
import logging
import uuid

import pytest
from django.db import OperationalError
from django.test import RequestFactory
from pytest_django import Settings

from accounts.models import User
from system.api.handlers import server_error
from tests.client import ApiClient, opened


def test_money_is_a_number_and_ready_made_json_passes(api: ApiClient) -> None:
    assert api.get("echo") == {"price": 99.9, "set": ["a", "b"], "raw": {"x": 1}}
    assert b'"price":99.90' in api.last.content


def test_an_answer_without_content_has_no_byte(api: ApiClient) -> None:
    response = api.send("DELETE", "echo")
    assert (response.status_code, response.content) == (204, b"")
    assert "Content-Type" not in response.headers


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("conflict", 409, "E02001"),
        ("unavailable", 503, "E00013"),
        ("missing", 404, "E00005"),
        ("forbidden", 403, "E00004"),
        ("throttled", 429, "E00006"),
        ("database", 503, "E00013"),
        ("redis", 503, "E00013"),
        ("data", 400, "E00002"),
        ("big", 413, "E00014"),
        ("suspicious", 400, "E00002"),
        ("model", 400, "E00002"),
        ("teapot", 500, "E00001"),
        ("bug", 500, "E00001"),
    ],
)
@pytest.mark.parametrize("path", ["errors", "plain"])
def test_every_exception_becomes_the_envelope(api: ApiClient, path: str, kind: str, status: int, code: str) -> None:
    error = api.get(f"{path}/{kind}", expect=status)
    assert error["code"] == code
    assert "secret detail" not in api.last.content.decode()


@pytest.mark.parametrize(("kind", "seconds"), [("unavailable", 7), ("throttled", 3), ("database", 5)])
def test_who_must_wait_is_told_how_long(api: ApiClient, kind: str, seconds: int) -> None:
    api.send("GET", f"errors/{kind}")
    assert api.last.headers["Retry-After"] == str(seconds)


@pytest.mark.parametrize("path", ["errors/bug", "plain/bug"])
def test_a_bug_is_logged_once_with_its_traceback(api: ApiClient, path: str, caplog: pytest.LogCaptureFixture) -> None:
    api.get(path, expect=500)
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [bool(record.exc_info) for record in errors] == [True]


def test_a_refusal_of_the_database_is_an_error_in_the_log(api: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    api.get("errors/data", expect=400)
    assert [record.levelname for record in caplog.records if record.exc_info] == ["ERROR"]


@pytest.mark.parametrize("path", ["/api/v1/nope", "/api/v9/echo", "/api", "/api/", "/api/v1", "/api/v1/echo/x"])
@pytest.mark.parametrize("debug", [False, True])
def test_unknown_addresses_answer_json(api: ApiClient, settings: Settings, path: str, debug: bool) -> None:
    settings.DEBUG = debug
    assert api.get(path, expect=404)["code"] == "E00005"


@pytest.mark.parametrize("debug", [False, True])
def test_html_of_others_is_replaced(api: ApiClient, settings: Settings, debug: bool) -> None:
    settings.DEBUG = debug
    assert opened(api.send("GET", "plain/html"))["code"] == "E00002"
    assert api.last.status_code == 418


def test_a_foreign_host_is_refused_in_json(api: ApiClient) -> None:
    response = api.send("GET", "echo", headers={"Host": "evil.example"})
    assert response.status_code == 400
    opened(response)


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS", "TRACE", "FOO"])
def test_a_wrong_method_names_the_right_ones(api: ApiClient, method: str) -> None:
    assert api.call(method, "echo", expect=405)["code"] == "E00007"
    assert set(api.last.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST", "PUT", "DELETE"}


def test_the_override_header_is_ignored(api: ApiClient) -> None:
    api.get("echo", headers={"X-HTTP-Method-Override": "DELETE"})


def test_an_answer_in_another_format_is_not_there(api: ApiClient) -> None:
    assert api.get("echo", expect=406, headers={"Accept": "application/xml"})["code"] == "E00010"


@pytest.mark.parametrize("accept", ["application/json", "*/*", "text/html, application/json;q=0.9", "application/*"])
def test_json_is_found_in_what_clients_accept(api: ApiClient, accept: str) -> None:
    api.get("echo", headers={"Accept": accept})


@pytest.mark.parametrize("given", ["abc-1.2_3", "x" * 64])
def test_a_good_request_id_is_taken_over(api: ApiClient, given: str) -> None:
    api.get("echo", headers={"X-Request-ID": given})
    assert api.last.headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\r\nb", "\x1b[31m", "é", "a,b"])
def test_a_bad_request_id_is_replaced(api: ApiClient, given: str) -> None:
    api.get("echo", headers={"X-Request-ID": given})
    assert uuid.UUID(api.last.headers["X-Request-ID"]).version == 4


@pytest.mark.parametrize("version", ["1.4.2", "0.0.1-beta.1+build.5"])
def test_a_client_version_is_logged(api: ApiClient, version: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    api.get("echo", headers={"X-Client-Version": version})
    assert [vars(line)["client_version"] for line in caplog.records if line.name == "system.access"] == [version]


@pytest.mark.parametrize("version", ["", "1", "1.2", "v1.2.3", "01.2.3", "1.2.3" + "4" * 100, "1.2.3\n"])
def test_a_malformed_client_version_is_refused(api: ApiClient, version: str) -> None:
    assert "X-Client-Version" in api.get("echo", expect=400, headers={"X-Client-Version": version})["details"]


def test_english_is_answered_to_who_asks_for_it(api: ApiClient) -> None:
    assert api.send("GET", "nope", headers={"Accept-Language": "en"}).json()["message"] == "Not found"
    assert api.last.headers["Content-Language"] == "en"


@pytest.mark.parametrize("language", ["", "fr", "../../etc/passwd", "x" * 5000, "zh-CN"])
def test_everybody_else_gets_chinese(api: ApiClient, language: str) -> None:
    api.get("echo", headers={"Accept-Language": language})
    assert api.last.headers["Content-Language"] == "zh-hans"


def test_caches_are_told_what_an_answer_depends_on(api: ApiClient, viewer: User) -> None:
    api.get("echo")
    assert api.last.headers["Cache-Control"] == "no-store"
    assert {"Accept-Language", "Authorization", "X-API-Key"} <= set(api.last.headers["Vary"].split(", "))
    signed_in = api.as_(viewer)
    signed_in.get("roles/viewer")
    assert signed_in.last.headers["Cache-Control"] == "private"


def test_an_answer_sets_no_cookie(api: ApiClient, viewer: User) -> None:
    client = api.as_(viewer)
    client.get("roles/viewer")
    assert not client.last.cookies


def test_a_view_that_names_nobody_serves_nobody(api: ApiClient, admin: User) -> None:
    api.get("undeclared", expect=401)
    api.as_(admin).get("undeclared", expect=403)
    api.as_(admin).get("roles/forgotten", expect=403)


ROLES = ("user", "viewer", "operator", "admin")


@pytest.mark.parametrize("needed", ROLES)
def test_a_role_opens_what_lower_roles_may(
    api: ApiClient, plain_user: User, viewer: User, operator: User, admin: User, needed: str
) -> None:
    api.get(f"roles/{needed}", expect=401)
    for held, user in zip(ROLES, (plain_user, viewer, operator, admin), strict=True):
        allowed = ROLES.index(held) >= ROLES.index(needed)
        api.as_(user).get(f"roles/{needed}", expect=200 if allowed else 403)


def test_a_head_request_has_no_body(api: ApiClient) -> None:
    response = api.send("HEAD", "echo")
    assert (response.status_code, response.content) == (200, b"")


def test_the_envelope_starts_as_documented(api: ApiClient) -> None:
    api.get("echo")
    assert list(json.loads(api.last.content)) == ["code", "message", "data", "timestamp", "request_id"]


def test_a_page_without_the_database_says_to_come_back() -> None:
    try:
        connect_to_nothing()
    except OperationalError:
        answer = server_error(RequestFactory().get("/admin/"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def connect_to_nothing() -> None:
    """Fail as a view does whose database is away."""
    raise OperationalError("the connection is closed")
