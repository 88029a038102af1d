"""The documents: from our own host alone."""

import re

import pytest
from django.contrib.staticfiles import finders

from tests.client import ApiClient

pytestmark = pytest.mark.shows("000/AC-7", "001/9.1")


@pytest.mark.parametrize("page", ["/api/docs", "/api/redoc"])
def test_documents_load_nothing_from_elsewhere(api: ApiClient, page: str) -> None:
    response = api.send("GET", page)
    html = response.content.decode()
    assert response.status_code == 200
    sources = re.findall(r'(?:src|href|spec-url|data-schema)="([^"?][^"]*)"', html)
    assert sources
    assert all(source.startswith("/") and not source.startswith("//") for source in sources)
    assert not re.search(r"<script(?![^>]* src=)", html)
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    files = [source.removeprefix("/static/") for source in sources if source.startswith("/static/")]
    assert all(finders.find(file) for file in files)
    assert "/api/v1/schema?lang=zh-hans" in sources


@pytest.mark.parametrize("page", ["/api/docs", "/api/redoc"])
def test_a_reader_chooses_version_and_language(api: ApiClient, page: str) -> None:
    html = api.send("GET", f"{page}?version=v2&lang=en").content.decode()
    assert '/api/v2/schema?lang=en"' in html
    assert '<html lang="en">' in html


def test_the_schema_speaks_chinese_unless_asked_for_english(api: ApiClient) -> None:
    chinese, english = (api.send("GET", f"/api/v2/schema{query}").json() for query in ("", "?lang=en"))
    assert chinese["paths"].keys() == english["paths"].keys()
    assert chinese["info"]["description"] != english["info"]["description"]
    api.get("/api/v2/schema?lang=fr", expect=400)


def test_the_schema_is_json_and_needs_no_user(api: ApiClient) -> None:
    response = api.send("GET", "/api/v1/schema")
    assert response.headers["Content-Type"] == "application/json"
    assert response.json()["openapi"].startswith("3.")
    assert response.json()["info"]["version"].startswith("1.0.0")


@pytest.mark.parametrize("page", ["/api/docs", "/api/redoc", "/api/v1/schema"])
def test_documents_are_for_reading(api: ApiClient, page: str) -> None:
    api.call("POST", page, expect=405)
