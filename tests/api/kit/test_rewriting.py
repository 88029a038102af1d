"""Saved calls of version 1 become calls of version 2."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from system.rewriting import rewrite, rewrite_address

pytestmark = pytest.mark.shows("001/7.2.1")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/api/v1/products", "/api/v2/products"),
        (
            "https://a.example/api/v1/products?page_size=5&sortby=created_at&status=draft,published",
            "https://a.example/api/v2/products?pageSize=5&sortby=createdAt&status=draft,published",
        ),
        ("$BASE_URL/api/v1/sync/jobs/$ID", "$BASE_URL/api/v2/sync/jobs/$ID"),
        ("/api/v1/products?q=%E8%8C%B6%E6%9D%AF", "/api/v2/products?q=%E8%8C%B6%E6%9D%AF"),
    ],
)
def test_addresses_and_their_parameters(old: str, new: str) -> None:
    assert rewrite_address(old) == new


def test_curl_calls_get_the_new_names_and_the_key() -> None:
    script = """curl -H "Authorization: Bearer $TOKEN" "$BASE_URL/api/v1/sync/start" \\
  -d '{"type": "full", "category_id": 1, "config": {"batch_size": 5}}'
"""
    first, second = rewrite(script).splitlines()
    assert first == 'curl -H "Authorization: Bearer $TOKEN" -H "X-API-Key: $API_KEY" "$BASE_URL/api/v2/sync/start" \\'
    assert second == """  -d '{"type": "full", "categoryId": 1, "config": {"batch_size": 5}}'"""


def test_calls_of_other_services_stay() -> None:
    script = """curl https://other.example/v1 -d '{"a_b": 1}'\ncurl $BASE/api/v1/health\n"""
    assert rewrite(script) == """curl https://other.example/v1 -d '{"a_b": 1}'\ncurl $BASE/api/v2/health\n"""


def test_signing_in_needs_no_key() -> None:
    script = """curl -H "Authorization: Bearer $T" $BASE/api/v1/auth/logout -d '{"refresh_token": "x"}'\n"""
    assert rewrite(script) == script.replace("v1", "v2").replace("refresh_token", "refreshToken")


def test_http_files() -> None:
    text = 'POST {{base}}/api/v1/sync/stop\nAuthorization: Bearer {{token}}\n\n{"task_id": "sync_20251118_001"}\n'
    assert rewrite(text) == (
        "POST {{base}}/api/v2/sync/stop\nAuthorization: Bearer {{token}}\nX-API-Key: {{api_key}}\n\n"
        '{"taskId": "sync_20251118_001"}\n'
    )


def test_a_har_recording() -> None:
    request = {
        "method": "POST",
        "url": "https://a.example/api/v1/sync/start",
        "headers": [{"name": "Authorization", "value": "Bearer x"}],
        "queryString": [],
        "postData": {"mimeType": "application/json", "text": '{"sku_list": ["1"]}'},
    }
    found = json.loads(rewrite(json.dumps({"log": {"entries": [{"request": request}]}})))["log"]["entries"][0][
        "request"
    ]
    assert found["url"] == "https://a.example/api/v2/sync/start"
    assert json.loads(found["postData"]["text"]) == {"skuList": ["1"]}
    assert {"name": "X-API-Key", "value": "{{api_key}}"} in found["headers"]


def test_a_postman_collection() -> None:
    url = {
        "raw": "{{base}}/api/v1/products?sort=sold_count",
        "host": ["{{base}}"],
        "path": ["api", "v1", "products"],
        "query": [{"key": "sort", "value": "sold_count"}],
    }
    item = {"name": "list", "request": {"method": "GET", "header": [], "url": url}}
    found = json.loads(rewrite(json.dumps({"item": [item]})))["item"][0]["request"]
    assert found["url"]["path"] == ["api", "v2", "products"]
    assert found["url"]["query"] == [{"key": "sort", "value": "soldCount"}]
    assert found["url"]["raw"] == "{{base}}/api/v2/products?sort=soldCount"
    assert found["header"] == [{"key": "X-API-Key", "value": "{{api_key}}"}]


def test_other_text_stays() -> None:
    assert rewrite("echo '{\"a_b\": 1}' | jq .a_b\n") == "echo '{\"a_b\": 1}' | jq .a_b\n"


def test_the_command_changes_files_only_when_told(tmp_path: Path) -> None:
    file = tmp_path / "calls.sh"
    file.write_text("curl /api/v1/products?page_size=1\n")
    out = StringIO()
    call_command("rewrite_calls", str(file), stdout=out)
    assert out.getvalue() == "curl /api/v2/products?pageSize=1\n"
    assert "/api/v1/" in file.read_text()
    call_command("rewrite_calls", str(file), "--in-place", stderr=StringIO())
    assert file.read_text() == out.getvalue()
    with pytest.raises(CommandError):
        call_command("rewrite_calls", str(tmp_path / "missing"))
