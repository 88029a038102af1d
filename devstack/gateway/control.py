"""The control plane: JSON over `/_control/…`, for tests only, unsigned."""

from collections.abc import Callable, Iterable
from typing import Any

from . import push_control
from .arguments import Arguments, ControlPlaneError
from .clock import format_date, parse_date
from .faults import parse_rules
from .messages import Reply, Request, json_reply
from .revision import Kind
from .state import State

PREFIX = "/_control/"
Json = dict[str, Any]
_LAST_CALLS = 50


def state_of(state: State, arguments: Arguments) -> Json:
    """Everything at a glance."""
    arguments.refuse_unknown()
    live = state.live
    return {
        "seed": state.settings.seed,
        "products": state.settings.products,
        "alive": state.settings.products - live.delisted,
        "mutated": live.mutated,
        "delisted": live.delisted,
        "empty": state.empty_listings,
        "clock": _clock_of(state),
        "limits": state.limits.describe(),
        "faults": state.faults.describe(),
        "app_key": state.app.key,
        "app_secret": state.app.secret,
        "access_token": state.tokens.first_access,
        "refresh_token": state.tokens.first_refresh,
        "message_url": state.settings.message_url,
    }


def mutate(state: State, arguments: Arguments) -> Json:
    """Changes products: `share`, `count` or `ids`, `kinds` in turn; answers their ids by kind."""
    indexes = _chosen(state, arguments)
    kinds = [_kind(word) for word in arguments.words("kinds") or [kind.name for kind in Kind]]
    arguments.refuse_unknown()
    now = state.clock.now()
    done = state.live.mutate(indexes, kinds, now)
    id_of = state.live.catalogue.id_of
    changed = {kind.name.lower(): sorted(map(id_of, done[kind])) for kind in sorted(done)}
    return {
        "count": len(indexes),
        "kinds": {kind: len(ids) for kind, ids in changed.items()},
        "ids": sorted(map(id_of, indexes)),
        "changed": changed,
        "modify_time": format_date(now),
    }


def _kind(word: str) -> Kind:
    try:
        return Kind[word.strip().upper()]
    except KeyError as error:
        known = ", ".join(kind.name.lower() for kind in Kind)
        raise ControlPlaneError(f"unknown kind {word}; there are {known}") from error


def delist(state: State, arguments: Arguments) -> Json:
    """Takes products away: `share`, `count` or `ids`."""
    indexes = _chosen(state, arguments)
    arguments.refuse_unknown()
    state.live.delist(indexes)
    return {"count": len(indexes), "ids": sorted(map(state.live.catalogue.id_of, indexes))}


def relist(state: State, arguments: Arguments) -> Json:
    """Brings `ids`, or everything delisted, back."""
    ids = arguments.words("ids")
    arguments.refuse_unknown()
    return {"count": state.live.relist(None if ids is None else _indexes(state, ids))}


def _chosen(state: State, arguments: Arguments) -> list[int]:
    ids, count, share = arguments.words("ids"), arguments.whole("count"), arguments.share("share")
    if ids is not None:
        return [index for index in _indexes(state, ids) if state.live.find(state.live.catalogue.id_of(index)) == index]
    if count is None and share is None:
        raise ControlPlaneError("give share, count or ids")
    return state.live.choose(count if count is not None else round((share or 0) * state.settings.products))


def _indexes(state: State, ids: Iterable[str]) -> list[int]:
    return sorted(push_control.known_indexes(state, ids))


def faults(state: State, arguments: Arguments) -> Json:
    """POST a list of rules to add them; DELETE or `clear=1` ends all; GET shows them."""
    if arguments.method == "DELETE" or arguments.flag("clear"):
        state.faults.clear()
    elif arguments.method == "POST":
        state.faults.add(parse_rules(arguments.rules))
    arguments.refuse_unknown()
    return {"rules": state.faults.describe()}


def clock(state: State, arguments: Arguments) -> Json:
    """`set` (platform date or milliseconds), `advance` (seconds), `frozen`."""
    moment, advance = arguments.get("set"), arguments.whole("advance")
    frozen = arguments.flag("frozen", default=state.clock.frozen)
    arguments.refuse_unknown()
    if moment is not None:
        state.clock.set(_moment(str(moment)))
    if advance is not None:
        state.clock.set(state.clock.now() + advance * 1000)
    if frozen != state.clock.frozen:
        (state.clock.freeze if frozen else state.clock.run)()
    return _clock_of(state)


def _moment(text: str) -> int:
    milliseconds_digits = 13
    return int(text) if text.isdigit() and len(text) == milliseconds_digits else parse_date(text)


def _clock_of(state: State) -> Json:
    now = state.clock.now()
    return {"now": format_date(now), "milliseconds": now, "frozen": state.clock.frozen}


def empty(state: State, arguments: Arguments) -> Json:
    """`on`: listings succeed and are empty."""
    state.empty_listings = arguments.flag("on", default=True)
    arguments.refuse_unknown()
    return {"empty": state.empty_listings}


def expire_tokens(state: State, arguments: Arguments) -> Json:
    """Ends all access tokens; `refresh` ends the refresh tokens too."""
    refresh = arguments.flag("refresh")
    arguments.refuse_unknown()
    state.tokens.expire(refresh=refresh)
    return {"expired": ["access", "refresh"] if refresh else ["access"]}


def code(state: State, arguments: Arguments) -> Json:
    """A one-time authorisation code, as the consent page would hand out."""
    arguments.refuse_unknown()
    return {"code": state.tokens.issue_code()}


def limits(state: State, arguments: Arguments) -> Json:
    """`qps` and `daily` (empty text or 0: no limit), `deny` (API names with commas; empty: none)."""
    for name in ("qps", "daily"):
        if arguments.get(name) is not None:
            setattr(state.limits, name, arguments.whole(name) or None)
    deny = arguments.words("deny")
    arguments.refuse_unknown()
    if deny is not None:
        state.limits.denied = frozenset(deny)
    return state.limits.describe()


def calls(state: State, arguments: Arguments) -> Json:
    """Counts by API and error, the busiest second, and the `last` newest calls."""
    last = arguments.whole("last")
    arguments.refuse_unknown()
    return state.calls.describe(_LAST_CALLS if last is None else last)


_COMMANDS: dict[str, Callable[[State, Arguments], Json]] = {
    "state": state_of,
    "mutate": mutate,
    "delist": delist,
    "relist": relist,
    "faults": faults,
    "clock": clock,
    "empty": empty,
    "expire_tokens": expire_tokens,
    "code": code,
    "limits": limits,
    "calls": calls,
    "push": push_control.push,
    "messages": push_control.messages,
    "channel": push_control.channel,
}
RESET = "reset"


def answer(state: State, request: Request) -> Reply:
    """The reply to a request below `/_control/`; mistakes answer 400 with the reason, unknown commands 404."""
    command = _COMMANDS.get(request.path.removeprefix(PREFIX))
    if command is None:
        return json_reply({"error": "unknown command", "commands": [*_COMMANDS, RESET]}, 404)
    try:
        return json_reply(command(state, Arguments(request)))
    except (ValueError, TypeError, OverflowError) as error:
        return json_reply({"error": str(error)}, 400)
