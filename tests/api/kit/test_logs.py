"""Log lines: JSON, one line each, with their request and without secrets."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import User
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


def test_every_request_is_one_access_line(api: ApiClient, viewer: User, written: io.StringIO) -> None:
    client = api.as_(viewer)
    client.get(f"roles/viewer?token={CANARY}", headers={"X-Request-ID": "req-2"})
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    access = [line for line in lines if line["name"] == "system.access"]
    assert len(access) == 1
    assert access[0]["message"] == "GET /api/v1/roles/viewer 200"
    assert (access[0]["request_id"], access[0]["status"], access[0]["user_id"]) == ("req-2", 200, viewer.pk)
    assert access[0]["ms"] >= 0
    assert CANARY not in written.getvalue()


def test_signing_in_leaves_no_secret_in_the_log(api: ApiClient, viewer: User, written: io.StringIO) -> None:
    session = api.post("auth/login", {"username": "viewer", "password": PASSWORD})
    api.with_token(session["token"]).get("auth/profile")
    api.post("auth/login", {"username": "viewer", "password": f"wrong {CANARY}"}, expect=401)
    for secret in (PASSWORD, CANARY, session["token"], session["refresh_token"]):
        assert secret not in written.getvalue()
