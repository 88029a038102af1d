"""Log lines: JSON, one line each, with their request and without secrets."""

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from pytest_django import Settings

from accounts.models import User
from system.api.throttling import rates
from system.logs import ContextFilter, JsonFormatter, RedactFilter
from system.request_id import request_scope
from tests.client import ApiClient
from tests.conftest import PASSWORD

CANARY = "canary-7f3a9c"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the production handler writes of everything logged."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s"))
    handler.addFilter(ContextFilter())
    handler.addFilter(RedactFilter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize(
    "message",
    [
        f"Authorization: Bearer {CANARY}",
        f"authorization=Basic {CANARY}",
        f"{{'Authorization': 'Bearer {CANARY}'}}",
        f"X-API-Key: {CANARY}",
        f"api_key={CANARY}&page=1",
        f'{{"password": "{CANARY}"}}',
        f'{{\\"password\\": \\"{CANARY}\\"}}',
        f"{{'new_password': '{CANARY}'}}",
        f"access_token={CANARY}",
        f"refresh_token: {CANARY}",
        f"GET /ws?token={CANARY} 200",
        f"app_secret={CANARY}, x",
        f"client_secret=%22{CANARY}%22",
        f"Cookie: sessionid={CANARY}",
        f"sessionid={CANARY}; path=/",
        f"_aop_signature={CANARY}",
        f"could not connect to postgresql://user:{CANARY}@db:5432/x",
        f"redis://:{CANARY}@127.0.0.1/0",
        f"sent Bearer {CANARY}",
        f"the key s1688_ab12cd34_{CANARY.replace('-', '')}xyz",
    ],
)
def test_secrets_are_taken_out_of_messages(written: io.StringIO, message: str) -> None:
    logging.getLogger("kit").info("%s", message)
    assert CANARY not in written.getvalue()
    assert "***" in written.getvalue()


@pytest.mark.parametrize(
    "extra",
    [
        {"password": CANARY},
        {"headers": {"Authorization": CANARY, "Cookie": [CANARY]}},
        {"query": f"token={CANARY}"},
        {"body": {"user": {"refresh_token": CANARY}}},
        {"rows": [{"app_secret": CANARY}]},
    ],
    ids=str,
)
def test_secrets_are_taken_out_of_fields(written: io.StringIO, extra: dict[str, Any]) -> None:
    logging.getLogger("kit").info("event", extra=extra)
    assert CANARY not in written.getvalue()


def test_a_jwt_is_taken_out_wherever_it_stands(written: io.StringIO) -> None:
    logging.getLogger("kit").info("got %s here", JWT)
    assert JWT not in written.getvalue()


def test_secrets_are_taken_out_of_tracebacks(written: io.StringIO) -> None:
    try:
        int(f"password={CANARY}")
    except ValueError:
        logging.getLogger("kit").exception("failed")
    assert CANARY not in written.getvalue()
    assert "ValueError" in written.getvalue()


@pytest.mark.parametrize(
    "message", ["took 3 tokens from the bucket", "the cookie jar is empty", "secret santa", "密码策略", "a=1&b=2"]
)
def test_ordinary_words_stay(written: io.StringIO, message: str) -> None:
    logging.getLogger("kit").info(message)
    assert json.loads(written.getvalue())["message"] == message


def test_a_line_stays_one_line(written: io.StringIO) -> None:
    nasty = "a\nb\r\nc\x1b[31m\u2028d\u0085e\x9b\u202ef"
    logging.getLogger("kit").info(nasty)
    line = written.getvalue()
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    assert json.loads(line)["message"] == nasty


def test_a_line_names_its_request_time_and_place(written: io.StringIO) -> None:
    with request_scope("req-1"):
        logging.getLogger("kit").warning("早上好")
    line = json.loads(written.getvalue())
    assert (line["request_id"], line["levelname"], line["name"], line["message"]) == (
        "req-1",
        "WARNING",
        "kit",
        "早上好",
    )
    assert line["asctime"].endswith("Z")


def access_lines(written: io.StringIO) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    return [line for line in lines if line["name"] == "system.access"]


@pytest.mark.shows("000/M-3")
def test_every_request_is_one_access_line(api: ApiClient, viewer: User, written: io.StringIO) -> None:
    client = api.as_(viewer)
    headers = {"X-Request-ID": "req-2", "X-Client-Version": "1.4.2"}
    answer = client.send("GET", "roles/viewer?page=2", headers=headers, REMOTE_ADDR="192.0.2.7")
    (line,) = access_lines(written)
    assert line["message"] == "GET /api/v1/roles/viewer 200"
    assert (
        line
        | {
            "request_id": "req-2",
            "method": "GET",
            "path": "/api/v1/roles/viewer",
            "query": "page=2",
            "status": 200,
            "bytes": len(answer.content),
            "ip": "192.0.2.7",
            "user_id": viewer.pk,
            "key_id": None,
            "client_version": "1.4.2",
        }
        == line
    )
    assert line["ms"] >= 0


def test_the_line_of_a_refusal_tells_the_limits(
    api: ApiClient, written: io.StringIO, settings: Settings, redis_url: str
) -> None:
    settings.THROTTLE_RATES = rates.rates() | {"anonymous": "1/hour"}
    api.send("GET", "nope")
    api.send("GET", "nope")
    passed, refused = access_lines(written)
    assert "limits" not in passed
    assert re.fullmatch(r'"ip";r=0;t=\d+', refused["limits"])


@pytest.mark.parametrize(
    "query",
    [
        f"token={CANARY}",
        f"page=1&api_key={CANARY}",
        f"%74oken={CANARY}",
        f"REFRESH_TOKEN={CANARY}&token={CANARY}",
        f"X-API-Key={CANARY}",
        f"pass%77ord={CANARY}",
    ],
)
def test_the_line_keeps_no_secret_of_the_query(api: ApiClient, written: io.StringIO, query: str) -> None:
    api.send("GET", f"echo?{query}")
    assert CANARY not in written.getvalue()
    assert len(access_lines(written)) == 1


def test_control_characters_of_an_address_stay_inside_the_line(api: ApiClient, written: io.StringIO) -> None:
    api.send("GET", "nope%0a%1b[31m%e2%80%a8")
    assert len(written.getvalue().splitlines()) == len(access_lines(written)) == 1
    assert "\x1b" not in written.getvalue()


SECRET_HEADERS = ("Authorization", "X-API-Key", "Cookie", "Proxy-Authorization", "X-Auth-Token")
SECRET_FIELDS = ("password", "refresh_token", "token", "api_key", "app_secret")


@pytest.mark.shows("001/8.2.1")
@pytest.mark.parametrize(
    "path", ["auth/login", "auth/refresh", "auth/logout", "echo", "errors/bug", "nope", "roles/user"]
)
@pytest.mark.parametrize("form", [CANARY, f"Bearer {CANARY}", f"s1688_{CANARY}_{CANARY}", f"{JWT}{CANARY}"])
def test_no_secret_of_a_request_is_ever_logged(
    api: ApiClient, db: None, written: io.StringIO, path: str, form: str
) -> None:
    """At level DEBUG, whatever the answer."""
    headers = dict.fromkeys(SECRET_HEADERS, form)
    for method in ("GET", "POST", "PUT"):
        for field in SECRET_FIELDS:
            address = f"{path}?{field}={quote(form)}"
            api.send(method, address, {field: form, "username": "viewer", "password": form}, headers=headers)
        api.send(method, path, f'{{"password": "{form}'.encode(), headers=headers)
    assert access_lines(written)
    assert CANARY not in written.getvalue()


@pytest.mark.shows("001/8.2.1")
def test_signing_in_leaves_no_secret_in_the_log(api: ApiClient, viewer: User, written: io.StringIO) -> None:
    session = api.post("auth/login", {"username": "viewer", "password": PASSWORD})
    api.with_token(session["token"]).get("auth/profile")
    api.post("auth/login", {"username": "viewer", "password": f"wrong {CANARY}"}, expect=401)
    for secret in (PASSWORD, CANARY, session["token"], session["refresh_token"]):
        assert secret not in written.getvalue()
