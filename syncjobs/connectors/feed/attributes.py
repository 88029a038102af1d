"""The part of a mapping that turns names and values into attributes, and into the properties of a SKU."""

from collections.abc import Callable, Iterable
from typing import Any

from syncjobs.connectors.coerce import word
from syncjobs.connectors.feed.values import compile_list, compile_value, invalid_mapping, refuse_unknown

Attributes = dict[str, str | list[str]]
Pairs = Callable[[Any], Iterable[tuple[Any, Any]]]

_PAIR_KEYS = frozenset({"each", "name", "value"})


def compile_attributes(spec: object, where: str) -> Callable[[Any], Attributes]:
    """Compile {"name": value, …}, {"each": …, "name": …, "value": …}, or the path of an object.

    A name that comes twice keeps both values as a list. Empty values and objects inside are left out.

    Raises:
        FatalSourceError: `invalid_mapping`.
    """
    pairs = _compile_pairs(spec, where)

    def attributes(record: Any) -> Attributes:
        found: Attributes = {}
        for name, value in pairs(record):
            if value is not None and (plain := word(name)) and (texts := _texts(value)):
                found[plain] = [*_listed(found[plain]), *_listed(texts)] if plain in found else texts
        return found

    return attributes


def _compile_pairs(spec: object, where: str) -> Pairs:
    if isinstance(spec, dict) and "each" in spec:
        return _pairs_of_list(spec, where)
    if isinstance(spec, dict):
        return _pairs_by_name(spec, where)
    return _pairs_of_object(spec, where)


def _pairs_of_list(spec: dict[str, Any], where: str) -> Pairs:
    refuse_unknown(spec, _PAIR_KEYS, where)
    for key in _PAIR_KEYS - spec.keys():
        raise invalid_mapping(f"{where}.{key}", "is missing")
    elements = compile_list(spec["each"], f"{where}.each")
    name, value = (compile_value(spec[key], f"{where}.{key}") for key in ("name", "value"))
    return lambda record: ((name(element), value(element)) for element in elements(record))


def _pairs_by_name(spec: dict[str, Any], where: str) -> Pairs:
    values = [(name, compile_value(value, f"{where}.{name}")) for name, value in spec.items()]
    return lambda record: ((name, value(record)) for name, value in values)


def _pairs_of_object(spec: object, where: str) -> Pairs:
    get = compile_value(spec, where)

    def pairs(record: Any) -> Iterable[tuple[Any, Any]]:
        value = get(record)
        if value is None:
            return ()
        if not isinstance(value, dict):
            raise ValueError("must be an object of names and values")  # noqa: TRY004
        return value.items()

    return pairs


def _texts(value: Any) -> str | list[str]:
    """What a value says, as text or, if it says more than one thing, as a list."""
    if not isinstance(value, list):
        return "" if isinstance(value, dict) else word(value)
    texts = [plain for item in value if not isinstance(item, dict | list) and (plain := word(item))]
    return texts[0] if len(texts) == 1 else texts


def _listed(texts: str | list[str]) -> list[str]:
    return [texts] if isinstance(texts, str) else texts
