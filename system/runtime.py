"""Settings an administrator may change while the system runs: a typed allow-list, nothing else.

An application registers its definitions in `AppConfig.ready()`. A value comes from the table `Setting`, or else is the
default; a process may use a changed value up to `CACHE_SECONDS` late. Secrets never stand here.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Literal

from django.db import Error as DatabaseProblem
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from system.models import Setting

logger = logging.getLogger(__name__)

CACHE_SECONDS = 5.0

Kind = Literal["integer", "string"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """One setting.

    Attributes:
        key: its name, such as "sync.batch_size_default".
        group: what it is about, a heading for people.
        minimum, maximum: bounds of an integer.
        choices: the only values of a string; with none of them `check` decides.
        check: says why a text cannot be the value, None when it can.
        apply: called in each process with the value when it is first read and whenever it has changed.
    """

    key: str
    kind: Kind
    default: int | str
    group: Promise | str
    description: Promise | str
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    check: Callable[[str], Promise | str | None] | None = None
    apply: Callable[[Any], None] | None = None

    def refusal(self, value: Any) -> Promise | str | None:
        """Why a value cannot be this setting's; None when it can."""
        if self.kind == "string":
            return self._text_refusal(value)
        if not isinstance(value, int) or isinstance(value, bool):
            return _("Must be a whole number.")
        if (self.minimum is not None and value < self.minimum) or (self.maximum is not None and value > self.maximum):
            return _("Must be between {minimum} and {maximum}.").format(minimum=self.minimum, maximum=self.maximum)
        return None

    def _text_refusal(self, value: Any) -> Promise | str | None:
        if not isinstance(value, str):
            return _("Must be a string.")
        if self.check:
            return self.check(value)
        names = ", ".join(self.choices)
        return None if value in self.choices else _("Must be one of: {names}.").format(names=names)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something an administrator may read and not change; never a secret."""

    key: str
    description: Promise | str
    value: int | str | bool


@dataclass(slots=True)
class _Known:
    """What this process knows of the table."""

    values: dict[str, Any]
    until: float = 0.0


_definitions: dict[str, Definition] = {}
_facts: dict[str, Fact] = {}
_known = _Known({})
_applied: dict[str, Any] = {}


def register(*definitions: Definition) -> None:
    """Add settings to the allow-list; called from `AppConfig.ready()`."""
    _definitions.update({definition.key: definition for definition in definitions})


def register_fact(*facts: Fact) -> None:
    """Show what is fixed by the environment; called from `AppConfig.ready()`."""
    _facts.update({fact.key: fact for fact in facts})


def definitions() -> dict[str, Definition]:
    """All settings by key, in the order of their keys."""
    return dict(sorted(_definitions.items()))


def facts() -> list[Fact]:
    """All facts, in the order of their keys."""
    return [fact for _key, fact in sorted(_facts.items())]


def value(key: str) -> Any:
    """The value in force.

    Raises:
        KeyError: nobody registered the key.
    """
    definition = _definitions[key]
    keep_fresh()
    return _known.values.get(key, definition.default)


def changed(key: str, default: Any) -> Any:
    """What an administrator chose, or else `default`: for those that read their default anew each time."""
    keep_fresh()
    return _known.values.get(key, default)


def integer(key: str) -> int:
    """The value in force of a whole number."""
    return int(value(key))


def string(key: str) -> str:
    """The value in force of a text."""
    return str(value(key))


def keep_fresh() -> None:
    """Read the table again if that was too long ago, so that changes are applied where no value is asked for."""
    if monotonic() >= _known.until:
        refresh()


def refresh() -> None:
    """Read the table now, and apply what has changed; while the database is away the last known values stay."""
    # Moved first, so that while one thread reads the others go on with what is known.
    _known.until = monotonic() + CACHE_SECONDS
    try:
        stored = dict(Setting.objects.values_list("key", "value"))
    except DatabaseProblem as error:
        logger.warning("the runtime settings cannot be read: %s", error)
        return
    _known.values = {key: found for key, found in stored.items() if _fits(key, found)}
    _apply()


def forget() -> None:
    """Read the table anew when the next value is asked for."""
    _known.until = 0.0


def assume_defaults() -> None:
    """Use the defaults until `forget` or `refresh` is called: for whoever has no database."""
    _known.values, _known.until = {}, math.inf


def _fits(key: str, found: Any) -> bool:
    """A value stored before its bounds changed must not come into force."""
    return key in _definitions and _definitions[key].refusal(found) is None


def _apply() -> None:
    for key, definition in _definitions.items():
        current = _known.values.get(key, definition.default)
        if definition.apply and _applied.get(key, definition.default) != current:
            definition.apply(current)
            _applied[key] = current
