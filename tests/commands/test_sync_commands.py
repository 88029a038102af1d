"""`manage.py sources`, `sync` and `sync_status`, as an operator types them."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from devstack.gateway.client import GatewayClient, running_gateway
from products.models import Product
from syncjobs.models import Source, SyncJob
from syncjobs.services.sources import SourceCredentials
from tests.syncjobs.conftest import work

OFFERS = [{"id": f"61094757236{n}", "title": f"商品 {n}", "price": "9.90"} for n in range(5)]
MAPPING = {"id": "id", "title": "title", "price": "price"}

Printed = Callable[[], str]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    """What the commands have printed so far."""
    return lambda: capsys.readouterr().out


@pytest.fixture
def feed(db: None, tmp_path: Path) -> Source:
    """A source that reads a small file, added by command."""
    path = tmp_path / "offers.ndjson"
    path.write_text("".join(json.dumps(offer) + "\n" for offer in OFFERS), encoding="utf-8")
    options = json.dumps({"mapping": MAPPING})
    call_command("sources", "add", "shop", "--kind", "feed", "--path", str(path), "--options", options)
    return Source.objects.get(name="shop")


def refused(*arguments: str) -> CommandError:
    """The error of a command that must not work."""
    with pytest.raises(CommandError) as error:
        call_command(*arguments)
    return error.value


def test_the_first_source_becomes_the_default(feed: Source) -> None:
    assert feed.is_default


def test_a_name_is_taken_once(feed: Source) -> None:
    error = refused("sources", "add", "shop", "--kind", "alibaba1688")
    assert error.returncode == 2
    assert "E02008" in str(error)


def test_a_bad_name_says_what_a_name_is(db: None) -> None:
    assert "a-z" in str(refused("sources", "add", "Mein Laden", "--kind", "feed", "--path", "offers.ndjson"))


@pytest.mark.parametrize("options", ["{", "[1]", "@/does/not/exist"])
def test_options_must_be_a_json_object(db: None, options: str) -> None:
    assert "--options" in str(refused("sources", "add", "shop", "--kind", "feed", "--options", options))
    assert not Source.objects.exists()


def test_secrets_come_from_environment_or_standard_input_and_are_stored_encrypted(
    db: None, monkeypatch: pytest.MonkeyPatch, printed: Printed
) -> None:
    monkeypatch.setenv("APP_SECRET", "secret-of-env")
    monkeypatch.setattr("sys.stdin", io.StringIO("token-of-stdin\n"))
    call_command("sources", "add", "real", "--kind", "alibaba1688", "--app-key", "77", "--access-token", "-")
    call_command("sources", "list")
    source = Source.objects.get()
    credentials = SourceCredentials(source.pk).load()
    assert (credentials.app_secret, credentials.access_token) == ("secret-of-env", "token-of-stdin")
    for secret in ("secret-of-env", "token-of-stdin"):
        assert secret not in printed()
        assert secret.encode() not in bytes(source.secrets)


def test_sync_starts_a_job_that_a_worker_finishes(feed: Source, printed: Printed) -> None:
    call_command("sync", "--source", "shop")
    job = SyncJob.objects.get()
    assert f"{job.task_id} running" in printed()
    assert (job.trigger, work(job).created, Product.objects.count()) == ("command", 5, 5)


def test_following_a_finished_job_shows_its_counters_and_ends(feed: Source, printed: Printed) -> None:
    call_command("sync")
    job = work(SyncJob.objects.get())
    call_command("sync_status", job.task_id, "--follow")
    assert "created" in printed()


def test_a_second_sync_is_refused_with_the_running_job(feed: Source) -> None:
    call_command("sync")
    error = refused("sync")
    assert error.returncode == 2
    assert SyncJob.objects.get().task_id in str(error)


@pytest.mark.parametrize("arguments", [["--batch-size", "0"], ["--max-workers", "33"], ["--type", "all"]])
def test_bad_arguments_are_named(feed: Source, arguments: list[str]) -> None:
    assert arguments[0] in str(refused("sync", *arguments))
    assert not SyncJob.objects.exists()


def test_a_check_says_what_a_sync_would_take_and_starts_none(feed: Source, printed: Printed) -> None:
    call_command("sync", "--check")
    assert "records 5, calls 0" in printed()
    assert not SyncJob.objects.exists()


def test_a_check_that_finds_something_wrong_fails(feed: Source, printed: Printed) -> None:
    Source.objects.update(options={"path": "/nowhere", "mapping": MAPPING})
    assert refused("sync", "--check").returncode == 1
    assert "/nowhere does not exist" in printed()


def test_a_dry_run_stores_nothing(feed: Source) -> None:
    call_command("sync", "--dry-run")
    assert (work(SyncJob.objects.get()).created, Product.objects.count()) == (5, 0)


def test_status_lists_jobs_and_workers(feed: Source, printed: Printed) -> None:
    call_command("sync")
    call_command("sync_status")
    shown = printed()
    assert "sync_" in shown
    assert "workers online" in shown


def test_status_of_an_unknown_job_is_refused(db: None) -> None:
    assert refused("sync_status", "sync_20200101_001").returncode == 2


@pytest.fixture(scope="module")
def gateway() -> Iterator[GatewayClient]:
    """A small simulator."""
    with running_gateway(products=20, seed=3) as running:
        yield running


def add_gateway(gateway: GatewayClient, app_secret: str) -> None:
    call_command(
        "sources", "add", "demo", "--kind", "alibaba1688", "--gateway-url", gateway.url, "--app-key", gateway.app_key,
        "--app-secret", app_secret, "--access-token", gateway.access_token, "--refresh-token", gateway.refresh_token,
    )  # fmt: skip


def test_check_probes_every_api(db: None, redis_url: str, gateway: GatewayClient, printed: Printed) -> None:
    add_gateway(gateway, gateway.app_secret)
    call_command("sources", "check", "demo")
    assert "alibaba.product.list.get" in printed()


def test_check_says_which_permission_to_apply_for(
    db: None, redis_url: str, gateway: GatewayClient, printed: Printed
) -> None:
    add_gateway(gateway, gateway.app_secret)
    gateway.control("limits", deny="alibaba.product.list.get")
    assert refused("sources", "check").returncode == 1
    assert "!!" in printed()
    gateway.control("reset")


def test_check_notices_a_wrong_secret(db: None, redis_url: str, gateway: GatewayClient, printed: Printed) -> None:
    add_gateway(gateway, "wrong")
    assert refused("sources", "check", "demo").returncode == 1
