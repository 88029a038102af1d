"""Sources over the API: what goes in, what never comes out."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import User
from products.models import Product
from syncjobs.models import Source, SyncJob, Watermark
from syncjobs.services import source_checks
from syncjobs.services.scopes import scope_digest
from syncjobs.services.sources import SourceCredentials
from system.models import AuditLog
from tests.client import ApiClient
from tests.connectors.cases import serving_files

SECRETS = {"app_secret": "top-secret-1", "access_token": "top-secret-2", "refresh_token": "top-secret-3"}
NEW = {"name": "main", "kind": "alibaba1688", "app_key": "1000000", "credentials": SECRETS}
FEED: dict[str, Any] = {"path": "goods.ndjson", "mapping": {"id": "id", "title": "title"}}


@pytest.fixture
def operate(api: ApiClient, operator: User) -> ApiClient:
    """The API as an operator."""
    return api.as_(operator)


@pytest.fixture
def source(operate: ApiClient) -> dict[str, Any]:
    """A source with all its secrets."""
    made: dict[str, Any] = operate.post("sync/sources", NEW, expect=201)
    return made


def stored(source: dict[str, Any]) -> Source:
    """The row of a source."""
    return Source.objects.get(pk=source["id"])


def test_a_source_is_added_and_shown_without_its_secrets(operate: ApiClient, viewer: User) -> None:
    made = operate.post("sync/sources", NEW, expect=201)
    assert operate.last.headers["Location"] == f"/api/v1/sync/sources/{made['id']}"
    assert (made["name"], made["is_default"], made["app_key"]) == ("main", True, "1000000")
    assert made["has_secrets"] == {"app_secret": True, "access_token": True, "refresh_token": True}
    assert SourceCredentials(made["id"]).load().app_secret == "top-secret-1"
    watch = operate.as_(viewer)
    assert [watch.get("sync/sources")["items"][0], watch.get(f"sync/sources/{made['id']}")] == [made, made]


def test_no_answer_and_no_audit_line_holds_a_secret(operate: ApiClient, source: dict[str, Any]) -> None:
    address = f"sync/sources/{source['id']}"
    operate.patch(address, {"credentials": {"app_secret": "top-secret-9"}})
    told = [operate.last.content]
    for path in (address, "sync/sources"):
        operate.get(path)
        told.append(operate.last.content)
    audit = json.dumps(list(AuditLog.objects.values("action", "before", "after")), default=str)
    assert "secrets_replaced" in audit
    assert not any(b"top-secret" in body for body in told)
    assert "top-secret" not in audit


BAD_SOURCES: list[tuple[dict[str, Any], int, str]] = [
    ({"kind": "feed"}, 400, "name"),
    ({"name": "Main Shop", "kind": "feed"}, 400, "name"),
    ({"name": "x" * 51, "kind": "feed"}, 400, "name"),
    ({"name": "a", "kind": "taobao"}, 400, "kind"),
    ({"name": "a", "kind": "feed", "options": []}, 400, "options"),
    ({"name": "a", "kind": "feed", "options": {}}, 422, "options"),
    ({"name": "a", "kind": "feed", "options": FEED | {"colour": 1}}, 422, "options"),
    ({"name": "a", "kind": "feed", "options": {"path": "x", "mapping": {"colour": "c"}}}, 422, "options"),
    ({"name": "a", "kind": "alibaba1688", "options": {"gateway": "x"}}, 422, "options"),
    ({"name": "a", "kind": "alibaba1688", "options": {"gateway_url": 1}}, 422, "options"),
    ({"name": "a", "kind": "alibaba1688", "secrets": {}}, 400, "secrets"),
    ({"name": "a", "kind": "alibaba1688", "credentials": {"password": "x"}}, 400, "credentials"),
    ({"name": "a", "kind": "alibaba1688", "credentials": {"access_expires_at": 5}}, 400, "credentials"),
    ({"name": "a", "kind": "alibaba1688", "calls_per_second": 0}, 400, "calls_per_second"),
    ({"name": "a", "kind": "alibaba1688", "calls_per_second": "10"}, 400, "calls_per_second"),
    ({"name": "a", "kind": "alibaba1688", "daily_call_limit": 0}, 400, "daily_call_limit"),
    ({"name": "a", "kind": "alibaba1688", "delist_limit_percent": 101}, 400, "delist_limit_percent"),
    ({"name": "a", "kind": "alibaba1688", "has_secrets": {}}, 400, "has_secrets"),
]


@pytest.mark.parametrize(("body", "status", "field"), BAD_SOURCES, ids=[str(body) for body, *_ in BAD_SOURCES])
def test_a_source_that_makes_no_sense_is_refused_by_field(
    operate: ApiClient, body: dict[str, Any], status: int, field: str
) -> None:
    error = operate.post("sync/sources", body, expect=status)
    assert field in error["details"]
    assert not Source.objects.exists()


def test_a_refused_option_is_named(operate: ApiClient) -> None:
    body = {"name": "a", "kind": "feed", "options": FEED | {"colour": "red"}}
    error = operate.post("sync/sources", body, expect=422)
    assert error["code"] == "E02032"
    assert "colour" in error["details"]["options"][0]


def test_a_name_is_taken_once(operate: ApiClient, source: dict[str, Any]) -> None:
    assert operate.post("sync/sources", NEW, expect=409)["code"] == "E02008"


def test_a_patch_changes_what_it_names_and_keeps_the_rest(operate: ApiClient, source: dict[str, Any]) -> None:
    changed = operate.patch(f"sync/sources/{source['id']}", {"calls_per_second": 3})
    assert changed == source | {"calls_per_second": 3.0, "updated_at": changed["updated_at"]}
    operate.patch(f"sync/sources/{source['id']}", {"credentials": {"app_secret": "new"}})
    credentials = SourceCredentials(source["id"]).load()
    assert (credentials.app_secret, credentials.refresh_token) == ("new", "top-secret-3")


def test_a_put_sets_what_is_left_out_to_its_default_but_keeps_the_secrets(
    operate: ApiClient, source: dict[str, Any]
) -> None:
    operate.patch(f"sync/sources/{source['id']}", {"calls_per_second": 3, "is_enabled": False})
    changed = operate.put(f"sync/sources/{source['id']}", {"app_key": "1000000"})
    assert (changed["calls_per_second"], changed["is_enabled"], changed["is_default"]) == (10.0, True, True)
    assert changed["has_secrets"] == source["has_secrets"]


def test_name_and_kind_are_for_life(operate: ApiClient, source: dict[str, Any]) -> None:
    error = operate.patch(f"sync/sources/{source['id']}", {"name": "other", "kind": "feed"}, expect=400)
    assert set(error["details"]) == {"name", "kind"}


def test_a_new_token_forgets_when_the_old_one_ended_unless_it_is_told(
    operate: ApiClient, source: dict[str, Any]
) -> None:
    address = f"sync/sources/{source['id']}"
    told = {"access_token": "next", "access_expires_at": "2030-01-01T00:00:00Z"}
    assert operate.patch(address, {"credentials": told})["access_expires_at"] == "2030-01-01T00:00:00Z"
    assert operate.patch(address, {"credentials": {"access_token": "later"}})["access_expires_at"] is None


def test_there_is_one_default_which_only_another_replaces(operate: ApiClient, source: dict[str, Any]) -> None:
    second = operate.post("sync/sources", NEW | {"name": "second"}, expect=201)
    assert second["is_default"] is False
    error = operate.patch(f"sync/sources/{source['id']}", {"is_default": False}, expect=409)
    assert error["code"] == "E00008"
    assert operate.patch(f"sync/sources/{second['id']}", {"is_default": True})["is_default"] is True
    assert stored(source).is_default is False


def test_a_stale_etag_is_412_and_a_change_of_nothing_keeps_it(operate: ApiClient, source: dict[str, Any]) -> None:
    address = f"sync/sources/{source['id']}"
    operate.get(address)
    known = {"If-Match": operate.last.headers["ETag"]}
    operate.patch(address, {"calls_per_second": 10.0}, headers=known)
    operate.patch(address, {"calls_per_second": 4}, headers=known)
    assert operate.last.headers["ETag"] != known["If-Match"]
    operate.patch(address, {"calls_per_second": 5}, headers=known, expect=412)
    operate.delete(address, headers=known, expect=412)
    assert stored(source).calls_per_second == 4


def test_a_renewed_token_is_no_change_of_the_source(operate: ApiClient, source: dict[str, Any]) -> None:
    operate.get(f"sync/sources/{source['id']}")
    known = {"If-Match": operate.last.headers["ETag"]}
    store = SourceCredentials(source["id"])
    stale = store.load()
    store.refresh(stale, lambda _now: stale)
    operate.patch(f"sync/sources/{source['id']}", {"calls_per_second": 4}, headers=known)


def test_an_unused_source_is_removed(operate: ApiClient, source: dict[str, Any]) -> None:
    operate.delete(f"sync/sources/{source['id']}")
    operate.delete(f"sync/sources/{source['id']}", expect=404)
    assert AuditLog.objects.filter(action="source.delete", target_id=str(source["id"])).exists()


def test_a_source_with_jobs_or_products_stays(operate: ApiClient, source: dict[str, Any]) -> None:
    SyncJob.objects.create(task_id="sync_20250101_001", source=stored(source), type="full", state="running", scope="x")
    Product.objects.create(source="main", source_id="1", sku="1688-1", title="茶杯")
    error = operate.delete(f"sync/sources/{source['id']}", expect=409)
    assert (error["code"], error["details"]) == ("E02031", {"jobs": 1, "open_jobs": 1, "products": 1})


def test_the_last_job_and_the_watermark_are_shown(operate: ApiClient, source: dict[str, Any]) -> None:
    assert (source["last_job"], source["synced_until"]) == (None, None)
    for number in (1, 2):
        SyncJob.objects.create(
            task_id=f"sync_20250101_00{number}", source=stored(source), type="full", state="succeeded", scope="x"
        )
    Watermark.objects.create(source="main", scope=scope_digest(None, ()), value="2025-01-01T10:00:00Z", job_id=1)
    shown = operate.get("sync/sources")["items"][0]
    assert shown["last_job"]["task_id"] == "sync_20250101_002"
    assert shown["synced_until"] == "2025-01-01T10:00:00Z"


@pytest.mark.parametrize("address", ["abc", "0", "-1", "9223372036854775808", "1/../2", "%00", "00000000-0000-4000"])
def test_an_id_that_names_nothing_is_404(operate: ApiClient, address: str) -> None:
    operate.get(f"sync/sources/{address}", expect=404)


def test_a_feed_that_works_says_so(operate: ApiClient, tmp_path: Path) -> None:
    file = tmp_path / "goods.ndjson"
    file.write_text('{"id": "1", "title": "茶杯"}\n')
    options = FEED | {"path": str(file)}
    made = operate.post("sync/sources", {"name": "feed", "kind": "feed", "options": options}, expect=201)
    report = operate.post(f"sync/sources/{made['id']}/check", {})
    assert report["ok"] is True
    assert report["summary"]
    assert {"name", "ok", "state", "code", "message", "action"} == set(report["checks"][0])
    assert {line["state"] for line in report["checks"]} == {"works"}


def test_a_feed_from_an_address_is_checked_and_a_private_one_is_refused(
    operate: ApiClient, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "goods.csv").write_bytes("id,title\n1,茶杯\n".encode("gbk"))
    with serving_files(tmp_path) as url:
        options = {"url": f"{url}/goods.csv", "mapping": FEED["mapping"]}
        body = {"name": "feed", "kind": "feed", "options": options}
        settings.OUTBOUND_ALLOWED_HOSTS = ()
        assert operate.post("sync/sources", body, expect=400)["code"] == "E02030"
        settings.OUTBOUND_ALLOWED_HOSTS = ("127.0.0.1",)
        made = operate.post("sync/sources", body, expect=201)
        report = operate.post(f"sync/sources/{made['id']}/check", {})
    assert report["ok"] is True
    assert "gb18030" in report["checks"][2]["message"]


def test_a_source_that_refuses_is_a_report_and_no_error(
    operate: ApiClient, source: dict[str, Any], tmp_path: Path
) -> None:
    options = FEED | {"path": str(tmp_path / "missing.ndjson")}
    made = operate.post("sync/sources", {"name": "feed", "kind": "feed", "options": options}, expect=201)
    assert operate.post(f"sync/sources/{made['id']}/check", {})["ok"] is False


@pytest.mark.parametrize(
    ("code", "status", "error"), [("timeout", 504, "E00016"), ("connection_failed", 502, "E00015")]
)
def test_a_source_that_does_not_answer_is_an_upstream_error(
    operate: ApiClient, source: dict[str, Any], monkeypatch: pytest.MonkeyPatch, code: str, status: int, error: str
) -> None:
    from syncjobs.engine.contracts import ApiCheck, CheckReport

    silent = CheckReport(ok=False, checks=(ApiCheck(name="system.currentTime", ok=False, code=code),))
    monkeypatch.setattr(source_checks, "check_source", lambda _source, **_patience: silent)
    refused = operate.post(f"sync/sources/{source['id']}/check", {}, expect=status)
    assert (refused["code"], refused["details"]["checks"][0]["code"]) == (error, code)


def test_a_closed_port_is_502(operate: ApiClient, source: dict[str, Any], redis_url: str) -> None:
    operate.patch(f"sync/sources/{source['id']}", {"options": {"gateway_url": "http://127.0.0.1:1"}})
    assert operate.post(f"sync/sources/{source['id']}/check", {}, expect=502)["code"] == "E00015"


def test_a_source_that_keeps_silent_is_not_waited_for(
    operate: ApiClient, source: dict[str, Any], redis_url: str, settings: Settings
) -> None:
    settings.SYNC_VALIDATE_SECONDS = 1
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        operate.patch(f"sync/sources/{source['id']}", {"options": {"gateway_url": f"http://127.0.0.1:{port}"}})
        refused = operate.post(f"sync/sources/{source['id']}/check", {}, expect=504)
    assert (refused["code"], refused["details"]["checks"][0]["code"]) == ("E00016", "timeout")


def test_the_default_source_that_is_replaced_has_a_new_version(operate: ApiClient, source: dict[str, Any]) -> None:
    operate.get(f"sync/sources/{source['id']}")
    known = operate.last.headers["ETag"]
    operate.post("sync/sources", NEW | {"name": "second", "is_default": True}, expect=201)
    operate.patch(f"sync/sources/{source['id']}", {"is_enabled": False}, headers={"If-Match": known}, expect=412)


def test_a_viewer_looks_and_changes_nothing(operate: ApiClient, source: dict[str, Any], viewer: User) -> None:
    watch, address = operate.as_(viewer), f"sync/sources/{source['id']}"
    watch.post("sync/sources", NEW | {"name": "second"}, expect=403)
    watch.put(address, {}, expect=403)
    watch.patch(address, {"is_enabled": False}, expect=403)
    watch.delete(address, expect=403)
    watch.post(f"{address}/check", {}, expect=403)
    assert (Source.objects.count(), stored(source).is_enabled, stored(source).version) == (1, True, 1)


@pytest.mark.parametrize("path", ["/etc/passwd", "feeds/../../etc/passwd", "goods.ndjson"])
def test_only_files_in_folders_for_feeds_become_sources(
    operate: ApiClient, settings: Settings, tmp_path: Path, path: str
) -> None:
    settings.FEED_FOLDERS = (str(tmp_path),)
    body = {"name": "feed", "kind": "feed", "options": FEED | {"path": path}}
    assert operate.post("sync/sources", body, expect=422)["code"] == "E02037"
    body["options"] = FEED | {"path": str(tmp_path / "goods.ndjson")}
    made = operate.post("sync/sources", body, expect=201)
    options = FEED | {"path": str(tmp_path / ".." / "x.ndjson")}
    assert operate.patch(f"sync/sources/{made['id']}", {"options": options}, expect=422)["code"] == "E02037"
