"""What an operator is told of a source that may not do everything: by the API and by the command."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from devstack.gateway.client import GatewayClient, running_gateway
from syncjobs.connectors.alibaba1688 import checking
from syncjobs.engine.contracts import ApiCheck, CheckReport
from syncjobs.models import Source
from syncjobs.services.check_texts import ABILITIES, CODES, EFFECTS, told
from syncjobs.services.sources import NewSource, add_source
from tests.client import ApiClient
from tests.flow.conftest import gateway_credentials

LIST, DETAIL = "alibaba.product.list.get", "product.search.queryProductDetail"
POOL = {"walk": "pool", "pool": {"offer_pool_id": 1}}
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def operate(api: ApiClient, operator: User) -> ApiClient:
    return api.as_(operator)


@pytest.fixture(scope="module")
def running() -> Iterator[GatewayClient]:
    with running_gateway(products=50) as gateway:
        yield gateway


@pytest.fixture
def gateway(running: GatewayClient, redis_url: str) -> GatewayClient:
    running.control("reset")
    return running


def made(gateway: GatewayClient, **options: Any) -> Source:
    credentials = gateway_credentials(gateway)
    options = {"gateway_url": gateway.url, **options}
    return add_source(NewSource(name="main", kind="alibaba1688", options=options, credentials=credentials))


def lines(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {line["name"]: line for line in report["checks"]}


def test_everything_granted_is_one_sentence(operate: ApiClient, gateway: GatewayClient) -> None:
    report = operate.post(f"sync/sources/{made(gateway).pk}/check", {}, headers=ENGLISH)
    assert (report["ok"], report["summary"]) == (True, "Everything works.")
    assert lines(report)[LIST]["state"] == "granted"


def test_what_is_missing_is_told_with_what_works_without_it(operate: ApiClient, gateway: GatewayClient) -> None:
    source = made(gateway)
    gateway.control("limits", deny=LIST)
    report = operate.post(f"sync/sources/{source.pk}/check", {}, headers=ENGLISH)
    assert report["ok"] is False
    assert "Works: chosen products and change messages, category tree." in report["summary"]
    assert "Does not work: full and incremental syncs" in report["summary"]
    line = lines(report)[LIST]
    assert (line["state"], line["code"]) == ("not_granted", "api_not_granted")
    assert LIST in line["action"]


def test_a_pool_that_opens_relations_instead_can_be_synced(operate: ApiClient, gateway: GatewayClient) -> None:
    source = made(gateway, **POOL)
    gateway.control("limits", deny=DETAIL)
    report = operate.post(f"sync/sources/{source.pk}/check", {}, headers=ENGLISH)
    assert report["ok"] is True
    assert "Another call is used instead." in lines(report)[DETAIL]["message"]


def test_the_command_ends_with_an_error_only_when_the_walk_cannot_run(
    db: None, gateway: GatewayClient, capsys: pytest.CaptureFixture[str]
) -> None:
    made(gateway)
    gateway.control("limits", deny="alibaba.category.get")
    call_command("sources", "check", "main", "--language", "en")
    assert "Does not work: category tree." in " ".join(capsys.readouterr().out.split())
    gateway.control("limits", deny=LIST)
    with pytest.raises(CommandError) as error:
        call_command("sources", "check", "main", "--language", "en")
    assert error.value.returncode == 1
    assert "Does not work: full" in " ".join(capsys.readouterr().out.split())


def test_options_that_no_longer_work_are_told_without_a_traceback(
    db: None, gateway: GatewayClient, capsys: pytest.CaptureFixture[str]
) -> None:
    made(gateway)
    Source.objects.update(options={"walk": "search"})
    with pytest.raises(CommandError) as error:
        call_command("sources", "check", "main", "--language", "en")
    assert error.value.returncode == 1
    assert "options" in capsys.readouterr().out


@pytest.mark.parametrize("code", sorted(checking.STATES))
def test_every_code_of_the_check_has_words(code: str) -> None:
    assert code in CODES


def test_every_effect_and_ability_has_words() -> None:
    assert checking.EFFECTS.keys() <= EFFECTS.keys()
    assert set(ABILITIES) == {"walk", "details", "lookups", "tree"}


def test_the_words_of_other_connectors_are_kept() -> None:
    line = ApiCheck(name="file", ok=False, code="feed_missing", message="x does not exist", action="put it there")
    (shown,) = told(CheckReport(ok=False, checks=(line,))).checks
    assert (shown.message, shown.action, shown.state) == ("x does not exist", "put it there", "failed")


def test_numbers_stand_in_the_sentence() -> None:
    line = ApiCheck(name="authorisation", ok=True, message="", effect="days_left", details={"days": 9}, action="x")
    (shown,) = told(CheckReport(ok=True, checks=(line,))).checks
    assert "9" in shown.message
    assert shown.action
