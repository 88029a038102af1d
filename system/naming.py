"""How an API version spells names: inside the system they are snake_case; a version may show and read them otherwise.

Names are keys of objects, query parameters, sort columns and path parameters. What stands under a key of `VERBATIM` is
somebody's data, whose keys are never renamed; under a key of `SHALLOW` only the first level are names of ours.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

VERBATIM = frozenset(
    {
        *("attributes", "config", "spec", "options", "payload", "raw", "context", "before", "after", "mapping"),
        "field_policies",
    }
)
SHALLOW = frozenset({"fields"})
# Query parameters whose values are names, too.
NAMING_PARAMETERS = frozenset({"sort", "sortby", "field", "columns"})

_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")
_UNDERSCORE = re.compile(r"_([a-z0-9])")


class AsSent(str):
    """A name a caller sent that is not spelled the version's way; it goes back as it came."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Naming:
    """One way to spell names.

    Attributes:
        outgoing: from our spelling to the version's.
        incoming: from the version's spelling to ours; None for a name that is not spelled the version's way.
        keeps: the version spells names as we do, so nothing need be renamed.
    """

    outgoing: Callable[[str], str]
    incoming: Callable[[str], str | None]
    keeps: bool = False

    def rename(self, value: Any) -> Any:
        """The same value with its keys spelled the version's way."""
        if self.keeps:
            return value
        if isinstance(value, dict):
            return {self.spelled(key): self._inside(key, inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.rename(item) for item in value]
        return value

    def spelled(self, name: str) -> str:
        """One name the version's way; what a caller misspelled stays as it was."""
        return str.__str__(name) if isinstance(name, AsSent) else self.outgoing(name)

    def read(self, value: Any, unknown: Callable[[str], NoReturn], place: str = "") -> Any:
        """The reverse of `rename`: a document that came in, with its keys spelled our way.

        Args:
            unknown: called with the place of a key that is not spelled the version's way; it must raise.
        """
        if self.keeps:
            return value
        if isinstance(value, list):
            return [self.read(item, unknown, f"{place}[{index}]") for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        return dict(self._read_item(key, inner, unknown, place) for key, inner in value.items())

    def _read_item(self, key: str, inner: Any, unknown: Callable[[str], NoReturn], place: str) -> tuple[str, Any]:
        here = f"{place}.{key}" if place else key
        name = self.incoming(key)
        if name is None:
            unknown(here)
        return name, inner if name in VERBATIM else self.read(inner, unknown, here)

    def _inside(self, key: str, inner: Any) -> Any:
        if key in VERBATIM:
            return inner
        if key in SHALLOW and isinstance(inner, dict):
            return {self.outgoing(name): value for name, value in inner.items()}
        return self.rename(inner)


def _same(name: str) -> str:
    return name


@lru_cache(maxsize=4096)
def to_camel(name: str) -> str:
    """`page_size` as `pageSize`; also inside paths such as `skus[0].source_sku_id`."""
    return _UNDERSCORE.sub(lambda found: found[1].upper(), name)


@lru_cache(maxsize=4096)
def from_camel(name: str) -> str | None:
    """`pageSize` as `page_size`; None for a name that is not camelCase, such as `page_size`."""
    snake = _HUMP.sub(lambda found: f"_{found[1].lower()}", name)
    return snake if to_camel(snake) == name else None


SNAKE = Naming(outgoing=_same, incoming=_same, keeps=True)
CAMEL = Naming(outgoing=to_camel, incoming=from_camel)
