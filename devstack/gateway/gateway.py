"""The gateway proper: finds the API, makes the checks in the platform's order, answers in its envelopes."""

from dataclasses import dataclass, replace
from http import HTTPStatus

from . import errors
from .apis import Api, BusinessError, Call
from .auth import SIGNATURE, check_signature
from .faults import Fired
from .handlers import APIS
from .limits import Call as LoggedCall
from .messages import Cut, Reply, Request, json_reply
from .state import State

PREFIX = "/openapi/"
_VERSION = "1"
_PATH_PARTS = 5
_UNKNOWN = "unknown"
_SECRETS = frozenset({SIGNATURE, "access_token", "refresh_token", "client_secret", "code", "_aop_timestamp"})
_HTML = "<html><head><title>1688.com</title></head><body><h1>系统繁忙，请稍后再试</h1></body></html>".encode()
_TIMEOUT_SECONDS = 60.0
_SLOW_SECONDS = 5.0
_ROUTES = {(protocol, api.namespace, api.name): api for api in APIS for protocol in api.protocols}
_STILL_LOADING = BusinessError("数据准备中，请稍后重试", "500_2")


@dataclass(frozen=True)
class Inbound:
    """One call before any check."""

    api: Api | None
    app_key: str
    path: str
    method: str
    params: dict[str, str]
    fired: Fired


def answer(state: State, request: Request) -> Reply:
    """The reply to a request below `/openapi/`. A call is counted whatever becomes of it."""
    state.calls.arrived()
    path = request.path.removeprefix(PREFIX)
    api, app_key = _route(path)
    name = api.name if api else _UNKNOWN
    inbound = Inbound(api, app_key, path, request.method, request.params(), state.faults.for_call(name))
    reply, error = _outage(inbound.fired) or _regular(state, inbound)
    params = {key: value for key, value in inbound.params.items() if key not in _SECRETS}
    state.calls.finished(LoggedCall(name, reply.status, error, params))
    return reply


def _route(path: str) -> tuple[Api | None, str]:
    """The API and the app key of `protocol/version/namespace/name/appKey`."""
    parts = path.split("/")
    protocol, version, namespace, name, app_key = (parts + [""] * _PATH_PARTS)[:_PATH_PARTS]
    known = version == _VERSION and len(parts) <= _PATH_PARTS
    return (_ROUTES.get((protocol, namespace, name)) if known else None), app_key


def _outage(fired: Fired) -> tuple[Reply, str] | None:
    """The answer of something that stands in front of the gateway and never asks it."""
    rule = fired.get("http_500", "http_502", "html_body", "timeout", "reset")
    if rule is None:
        return None
    if rule.kind == "timeout":
        reply = Reply(b"", delay=rule.seconds or _TIMEOUT_SECONDS, cut=Cut.BEFORE)
    elif rule.kind == "reset":
        reply = Reply(_HTML, cut=Cut.HALFWAY if rule.partial else Cut.BEFORE)
    else:
        usual = {"http_500": 500, "http_502": 502, "html_body": 200}[rule.kind]
        reply = Reply(_HTML, rule.status or usual, "text/html;charset=UTF-8")
    return reply, rule.kind


def _regular(state: State, inbound: Inbound) -> tuple[Reply, str]:
    """The gateway's own answer and its error code."""
    try:
        reply, error = _business(state, _checked(state, inbound), inbound)
    except errors.GatewayError as refusal:
        reply, error = json_reply(refusal.body(), refusal.status), refusal.code
    return _disturbed(reply, inbound.fired), error


def _checked(state: State, inbound: Inbound) -> Api:
    """The checks in the order measured on the platform. Raises GatewayError at the first that fails."""
    api, params = inbound.api, inbound.params
    if api is None:
        raise errors.unsupported_api()
    if not inbound.app_key:
        raise errors.app_key_missing()
    if inbound.app_key != state.app.key:
        raise errors.app_key_not_found()
    if api.post_only and inbound.method != "POST":
        raise errors.post_only()
    if api.signed:
        _check_caller(state, api, inbound)
    _check_required(api, params)
    return api


def _check_caller(state: State, api: Api, inbound: Inbound) -> None:
    """Signature, token, permission, rate: what the unsigned token endpoint is spared."""
    check_signature(state.app.secret, inbound.path, inbound.params)
    if api.needs_token:
        _check_token(state, inbound)
    state.limits.check_permission(api.name)
    _check_rate(state, inbound)


def _check_required(api: Api, params: dict[str, str]) -> None:
    for name in api.required:
        if not params.get(name):
            raise errors.param_missing(name)


def _check_token(state: State, inbound: Inbound) -> None:
    rule = inbound.fired.get("expired_token")
    if rule:
        raise _with_status(errors.unauthorized(), rule.status)
    state.tokens.check_access(inbound.params.get("access_token"))


def _check_rate(state: State, inbound: Inbound) -> None:
    rule = inbound.fired.get("qps")
    if rule:
        raise _with_status(errors.too_frequent(), rule.status)
    state.limits.check_rate()


def _with_status(error: errors.GatewayError, status: int | None) -> errors.GatewayError:
    return errors.GatewayError(error.code, error.message, status or error.status)


def _business(state: State, api: Api, inbound: Inbound) -> tuple[Reply, str]:
    loading = inbound.fired.get("biz_500_2")
    if loading:
        return json_reply(api.refuse(_STILL_LOADING), loading.status or HTTPStatus.OK), _STILL_LOADING.code
    try:
        return json_reply(api.handler(Call(state, inbound.params, inbound.fired))), ""
    except BusinessError as refusal:
        return json_reply(api.refuse(refusal)), refusal.code or "business"


def _disturbed(reply: Reply, fired: Fired) -> Reply:
    """The answer on its way: late, or with its second half missing."""
    slow, truncated = fired.get("slow"), fired.get("truncated_json")
    if slow:
        reply = replace(reply, delay=slow.seconds or _SLOW_SECONDS)
    if truncated:
        reply = replace(reply, body=reply.body[: len(reply.body) // 2], status=truncated.status or HTTPStatus.OK)
    return reply
