"""Signed calls: their form, and what each kind of answer becomes."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from syncjobs.connectors.alibaba1688.answers import Answer, TimeAnswer
from syncjobs.connectors.alibaba1688.apis import CURRENT_TIME, PRODUCT_GET, PRODUCT_LIST
from syncjobs.connectors.alibaba1688.client import GatewayClient, form_fields
from syncjobs.connectors.alibaba1688.failures import BusinessError
from syncjobs.connectors.alibaba1688.signing import sign
from syncjobs.connectors.alibaba1688.tokens import Tokens
from syncjobs.connectors.http import HttpClient
from syncjobs.connectors.registry import Credentials
from syncjobs.engine.errors import EngineError, FatalSourceError, QuotaExhausted, RetryableSourceError
from tests.connectors.alibaba1688.support import CountingGate, Store, http_answer, serving

CREDENTIALS = Credentials(app_key="1000000", app_secret="test123", access_token="token-1", refresh_token="refresh-1")
SECRETS = ("test123", "token-1", "refresh-1", "token-2")
BAD_REQUEST = "400 Bad Request"


def json_answer(body: Any, status: str = "200 OK", **headers: str) -> bytes:
    return http_answer(json.dumps(body).encode(), status, **headers)


def client_of(url: str, gate: CountingGate | None = None, store: Store | None = None) -> GatewayClient:
    http, gate = HttpClient(["127.0.0.1"]), gate or CountingGate()
    tokens = Tokens(store or Store(CREDENTIALS), http, gate, url)
    return GatewayClient(http, url, tokens, gate, sleep=lambda _: None)


def called(*answers: bytes, gate: CountingGate | None = None, store: Store | None = None) -> Answer:
    with serving(*answers) as (url, _):
        return client_of(url, gate, store).call(PRODUCT_LIST, {}, Answer)


def failure_of(*answers: bytes, gate: CountingGate | None = None, store: Store | None = None) -> EngineError:
    with pytest.raises(EngineError) as failure:
        called(*answers, gate=gate, store=store)
    assert not any(secret in str(failure.value) for secret in SECRETS)
    return failure.value


def refusal(code: str, status: str = BAD_REQUEST) -> bytes:
    return json_answer({"error_code": code, "error_message": "token-1", "exception": "token-1"}, status)


def test_a_call_is_a_signed_form_with_the_token() -> None:
    with serving(json_answer({})) as (url, requests):
        client_of(url).call(PRODUCT_LIST, {"pageNo": 2, "needDetail": True, "categoryId": None}, Answer)
    head, _, body = requests[0].partition(b"\r\n\r\n")
    fields = {name: value for name, (value,) in parse_qs(body.decode()).items()}
    path = "param2/1/com.alibaba.product/alibaba.product.list.get/1000000"
    assert head.startswith(f"POST /openapi/{path} HTTP/1.1".encode())
    assert fields.pop("_aop_signature") == sign(path, fields, "test123")
    assert len(fields.pop("_aop_timestamp")) == 13
    assert fields == {"pageNo": "2", "needDetail": "true", "access_token": "token-1"}


def test_an_api_without_authorisation_is_not_sent_the_token() -> None:
    with serving(json_answer({"result": "20260301120000000+0800"})) as (url, requests):
        assert client_of(url).now() == datetime(2026, 3, 1, 4, tzinfo=UTC)
    assert b"token-1" not in requests[0]


def test_arguments_are_written_as_the_platform_reads_them() -> None:
    fields = form_fields(
        {
            "flag": False,
            "ids": [1, 2],
            "param": {"keyword": "连衣裙", "beginPage": 1},
            "since": datetime(2025, 11, 17, 16, tzinfo=UTC),
            "text": "a b",
            "number": 10**12,
            "none": None,
        }
    )
    assert fields == {
        "flag": "false",
        "ids": "[1,2]",
        "param": '{"keyword":"连衣裙","beginPage":1}',
        "since": "20251118000000000+0800",
        "text": "a b",
        "number": "1000000000000",
    }


@pytest.mark.parametrize("status", [BAD_REQUEST, "200 OK", "500 Internal Server Error"])
@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("gw.SignatureInvalid", "signature_invalid"),
        ("gw.SignatureMissing", "signature_invalid"),
        ("gw.AppKeyNotFound", "app_key_unknown"),
        ("gw.AppKeyMissing", "app_key_unknown"),
        ("gw.APIUnsupported", "api_unsupported"),
        ("gw.APIACLDecline", "api_not_granted"),
        ("gw.ParamMissing", "param_missing"),
        ("gw.NeverHeardOf", "gateway_refused"),
    ],
)
def test_a_refusal_of_the_gateway_ends_the_job_and_says_what_to_do(code: str, meaning: str, status: str) -> None:
    failure = failure_of(refusal(code, status))
    assert isinstance(failure, FatalSourceError)
    assert failure.code == meaning
    assert failure.suggestion


def test_a_missing_permission_names_the_api_to_apply_for() -> None:
    failure = failure_of(refusal("gw.APIACLDecline"))
    assert isinstance(failure, FatalSourceError)
    assert "alibaba.product.list.get" in failure.suggestion


def test_too_fast_slows_down_every_worker_and_longer_each_time() -> None:
    gate = CountingGate()
    waits = []
    with serving(refusal("gw.QosAppFrequencyLimit")) as (url, _):
        client = client_of(url, gate)
        for _ in range(6):
            with pytest.raises(RetryableSourceError) as failure:
                client.call(PRODUCT_LIST, {}, Answer)
            waits.append(failure.value.retry_after)
    assert gate.pauses == [2, 4, 8, 16, 32, 64, 120, 120]
    assert waits == gate.pauses[2:]


def test_a_success_ends_the_backing_off() -> None:
    throttled = refusal("gw.QosAppFrequencyLimit")
    gate = CountingGate()
    with serving(throttled, throttled, json_answer({}), throttled, json_answer({})) as (url, _):
        client = client_of(url, gate)
        for _ in range(2):
            client.call(PRODUCT_LIST, {}, Answer)
    assert gate.pauses == [2, 4, 2]


def test_a_429_is_too_fast_and_its_retry_after_is_obeyed() -> None:
    gate = CountingGate()
    failure = failure_of(http_answer(b"", "429 Too Many Requests", Retry_After="33"), gate=gate)
    assert isinstance(failure, RetryableSourceError)
    assert (failure.retry_after, gate.pauses) == (33, [33])


def test_used_up_calls_hold_the_job_until_midnight_in_china() -> None:
    failure = failure_of(
        json_answer({"error_code": "gw.NoUsageLeftError"}, BAD_REQUEST, Date="Sun, 01 Mar 2026 15:30:00 GMT")
    )
    assert isinstance(failure, QuotaExhausted)
    assert failure.until == datetime(2026, 3, 1, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    "token_refusal",
    [refusal("401", "401 Unauthorized"), refusal("401", "200 OK"), http_answer(b"", "401 Unauthorized")],
)
def test_a_refused_token_is_renewed_once_and_the_call_repeated(token_refusal: bytes) -> None:
    store, gate = Store(CREDENTIALS), CountingGate()
    called(token_refusal, json_answer({"access_token": "token-2"}), json_answer({}), store=store, gate=gate)
    assert store.load().access_token == "token-2"
    assert gate.calls == [PRODUCT_LIST.name, "getToken", PRODUCT_LIST.name]


def test_a_fresh_token_that_is_refused_too_needs_an_authorisation() -> None:
    token_refusal = refusal("401", "401 Unauthorized")
    failure = failure_of(token_refusal, json_answer({"access_token": "token-2"}), token_refusal)
    assert isinstance(failure, FatalSourceError)
    assert failure.code == "needs_authorization"


def test_a_token_renewed_by_another_worker_is_taken_over() -> None:
    store = Store(CREDENTIALS)
    with serving(json_answer({}), refusal("401"), json_answer({})) as (url, requests):
        client = client_of(url, store=store)
        client.call(PRODUCT_LIST, {}, Answer)
        store.credentials = Credentials(app_key="1000000", app_secret="test123", access_token="token-2")
        client.call(PRODUCT_LIST, {}, Answer)
    assert store.exchanges == 0
    assert [b"token-2" in request for request in requests] == [False, False, True]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (http_answer(b"<html>punish</html>"), "bad_answer"),
        (http_answer(b"<html>punish</html>", "403 Forbidden"), "bad_answer"),
        (http_answer(b'{"result":{"pageRes'), "bad_answer"),
        (http_answer(b"[]"), "bad_answer"),
        (http_answer(b""), "bad_answer"),
        (http_answer(b"", "302 Found", Location="https://login.1688.com/"), "bad_answer"),
        (json_answer({}, "404 Not Found"), "bad_answer"),
        (http_answer(b"", "500 Internal Server Error"), "server_error"),
        (json_answer({"message": "x"}, "502 Bad Gateway"), "server_error"),
        (b"", "connection_failed"),
    ],
)
def test_trouble_that_may_pass_is_retryable(answer: bytes, code: str) -> None:
    failure = failure_of(answer)
    assert isinstance(failure, RetryableSourceError)
    assert failure.code == code


PASSING = [
    b"",
    http_answer(b"", "500 Internal Server Error"),
    http_answer(b"", "503 Service Unavailable", Retry_After="3"),
    http_answer(b'{"result":{"pageRes'),
    json_answer({"success": False, "errorCode": "500_2"}),
]


@pytest.mark.parametrize("trouble", PASSING)
def test_a_passing_fault_is_retried_at_once_and_every_attempt_counted(trouble: bytes) -> None:
    gate = CountingGate()
    called(trouble, trouble, json_answer({}), gate=gate)
    assert len(gate.calls) == 3


@pytest.mark.parametrize(
    ("answers", "attempts"),
    [
        ([http_answer(b"", "500 Internal Server Error")], 3),
        ([http_answer(b"", "503 Service Unavailable", Retry_After="9")], 1),
        ([http_answer(b"<html>")], 3),
    ],
)
def test_a_lasting_fault_goes_back_to_the_engine(answers: Sequence[bytes], attempts: int) -> None:
    gate = CountingGate()
    failure_of(*answers, gate=gate)
    assert len(gate.calls) == attempts


def test_data_in_preparation_is_asked_for_again_soon() -> None:
    failure = failure_of(json_answer({"success": False, "errorCode": "500_2", "errorMsg": "数据准备中，请稍后重试"}))
    assert isinstance(failure, RetryableSourceError)
    assert (failure.code, failure.retry_after) == ("data_preparing", 2)


def test_a_refusal_by_the_api_itself_keeps_its_code_and_text() -> None:
    body = json_answer({"success": False, "code": "SP0056", "message": "商品不存在"})
    with serving(body) as (url, _), pytest.raises(BusinessError) as refused:
        client_of(url).call(PRODUCT_GET, {}, Answer)
    assert (refused.value.code, refused.value.text, refused.value.is_gone) == ("SP0056", "商品不存在", True)


@pytest.mark.parametrize("body", [{}, {"result": None}, {"result": "soon"}, {"success": False}])
def test_a_gateway_that_does_not_tell_the_time_is_none(body: Any) -> None:
    with serving(json_answer(body)) as (url, _), pytest.raises(RetryableSourceError):
        client_of(url).now()


def test_a_code_nobody_knows_is_shown_without_what_does_not_belong_in_a_code() -> None:
    failure = failure_of(refusal("gw.<script>\n" + "x" * 500))
    assert "<" not in failure.message
    assert len(failure.message) < 200


def test_the_time_is_asked_for_without_a_permission() -> None:
    with serving(json_answer({"result": "20260301120000000+0800"})) as (url, requests):
        client_of(url).call(CURRENT_TIME, {}, TimeAnswer)
    assert requests[0].startswith(b"POST /openapi/param2/1/system/currentTime/1000000 ")
