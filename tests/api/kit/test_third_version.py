"""A third version is one file and one line of settings; views, services and routes stay as they are."""

import json
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from pytest_django import Settings

from accounts.models import User
from accounts.services import open_session

pytestmark = pytest.mark.shows("000/AC-6", "001/7.1.1")


@pytest.fixture
def third(settings: Settings) -> None:
    settings.API_VERSIONS = {**settings.API_VERSIONS, "v3": "tests.api.kit.v3.VERSION"}


def call(path: str, user: User) -> Any:
    token = open_session(user)["token"]
    return Client().get(path, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.usefixtures("third")
def test_every_route_answers_in_the_new_form(viewer: User) -> None:
    answer = call("/api/v3/sync/jobs?page-size=5", viewer)
    assert json.loads(answer.content) == {"result": [], "next": None}
    profile = json.loads(call("/api/v3/auth/profile", viewer).content)["result"]
    assert profile["username"] == "viewer"
    assert "last-login-at" in profile


@pytest.mark.usefixtures("third")
def test_errors_have_the_new_form_too(viewer: User) -> None:
    answer = call("/api/v3/sync/jobs?page_size=5", viewer)
    assert answer.status_code == 400
    assert json.loads(answer.content)["status"] == 400
    assert json.loads(Client().get("/api/v3/nowhere").content)["type"] == "/api/docs#E00005"


@pytest.mark.usefixtures("third")
def test_the_new_version_has_a_schema_of_its_own() -> None:
    generator: Any = SchemaGenerator(api_version="v3")  # type: ignore[no-untyped-call]
    schema = generator.get_schema(public=True)
    assert "/api/v3/sync/jobs/{task-id}" in schema["paths"]
    assert "last-login-at" in schema["components"]["schemas"]["Profile"]["properties"]


def test_without_the_line_there_is_no_such_version(viewer: User) -> None:
    assert call("/api/v3/sync/jobs", viewer).status_code == 404
