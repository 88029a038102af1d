"""Fault rules: what goes wrong, at which API, how often."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, get_args

import msgspec

from .draw import mix

ANY_API = "*"

CallKind = Literal[
    "http_500", "http_502", "timeout", "slow", "truncated_json", "html_body", "reset", "qps", "expired_token",
    "biz_500_2",
]  # fmt: skip
RecordKind = Literal["null_lists", "extra_fields", "wrong_types", "bad_record", "gone_in_detail"]
PageKind = Literal["duplicate_rows", "page_shift", "drifting_order", "drifting_total"]

_RECORD_KINDS = frozenset(get_args(RecordKind))
_PAGE_KINDS = frozenset(get_args(PageKind))
_FRACTION = 1 << 20

Positive = Annotated[int, msgspec.Meta(ge=1)]
NotNegative = Annotated[int, msgspec.Meta(ge=0)]


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule.

    api: bare API name such as `alibaba.product.list.get`, or `*`.
    every, count, after: the n-th matching call each time, at most `count` times, the first `after` calls spared.
    share: of calls, or of records for the kinds that spoil records; then always the same records.
    ids: the records to spoil. status: HTTP status instead of the usual one. seconds: of delay for slow and timeout.
    rows: how far `page_shift` shifts, and by how much `drifting_total` grows a page. partial: `reset` sends half an
    answer first.
    For `drifting_order` (of a search) share is that of the offers whose place differs at each call.
    For `duplicate_rows` every and count speak of page numbers; for `page_shift` after does.
    """

    kind: CallKind | RecordKind | PageKind
    api: str = ANY_API
    every: Positive = 1
    count: Positive | None = None
    after: NotNegative = 0
    share: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    ids: frozenset[int] = frozenset()
    status: Annotated[int, msgspec.Meta(ge=200, le=599)] | None = None
    seconds: Annotated[float, msgspec.Meta(gt=0)] | None = None
    rows: int = 1
    partial: bool = False

    def covers(self, seed: int, number: int) -> bool:
        """Whether `share` takes in a call number or a record id."""
        return self.share is None or mix(seed, number) % _FRACTION < self.share * _FRACTION

    def spoils(self, seed: int, record_id: int) -> bool:
        """Whether a record is among those the rule applies to."""
        return record_id in self.ids if self.ids else self.covers(seed, record_id)


def parse_rules(raw: object) -> list[Rule]:
    """Rules from a JSON list. Raises msgspec.ValidationError, a ValueError, that names the mistake."""
    return msgspec.convert(raw, list[Rule])


class ActiveRule:
    """A rule in force, with the calls it has seen and the times it applied."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.seen = 0
        self.fired = 0

    def fires(self, seed: int) -> bool:
        """Counts one matching call and tells whether the rule applies to it."""
        self.seen += 1
        applies = self._applies_to(self.seen, seed)
        self.fired += applies
        return applies

    def _applies_to(self, call: int, seed: int) -> bool:
        rule = self.rule
        if rule.kind in _PAGE_KINDS:
            return True
        number = call - rule.after
        used_up = rule.count is not None and self.fired >= rule.count
        if number < 1 or number % rule.every or used_up:
            return False
        return rule.kind in _RECORD_KINDS or rule.covers(seed, number)


class Fired:
    """The rules that apply to one call."""

    def __init__(self, rules: Iterable[Rule], seed: int) -> None:
        self._rules = tuple(rules)
        self._record_rules = tuple(rule for rule in self._rules if rule.kind in _RECORD_KINDS)
        self._seed = seed

    def get(self, *kinds: str) -> Rule | None:
        """The first rule of these kinds, if any."""
        return next((rule for rule in self._rules if rule.kind in kinds), None)

    def spoiling(self, record_id: int) -> set[str]:
        """The kinds of record faults that apply to a record."""
        return {rule.kind for rule in self._record_rules if rule.spoils(self._seed, record_id)}


class Faults:
    """All rules in force."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._active: list[ActiveRule] = []
        self._none = Fired((), seed)

    def add(self, rules: Iterable[Rule]) -> None:
        """Puts further rules in force."""
        self._active.extend(map(ActiveRule, rules))

    def clear(self) -> None:
        """Ends all rules."""
        self._active.clear()

    def for_call(self, api: str) -> Fired:
        """The rules that apply to this call; counts it."""
        if not self._active:
            return self._none
        matching = [active for active in self._active if active.rule.api in (ANY_API, api)]
        return Fired([active.rule for active in matching if active.fires(self._seed)], self._seed)

    def describe(self) -> list[dict[str, Any]]:
        """For the control plane."""
        return [
            msgspec.to_builtins(active.rule) | {"seen": active.seen, "fired": active.fired} for active in self._active
        ]
