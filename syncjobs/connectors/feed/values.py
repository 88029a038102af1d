"""How a mapping says where a value comes from, compiled once into a function of the record."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from syncjobs.connectors.coerce import text
from syncjobs.engine.errors import FatalSourceError

Value = Callable[[Any], Any]
"""Takes one decoded record (or one element of a list in it) and gives the raw value, None when there is none."""

KEYS = frozenset({"path", "const", "default", "prefix", "split", "map"})
_DOT = re.compile(r"(?<!\\)\.")
_INDEX = re.compile(r"-?[0-9]{1,9}")
_ABSOLUTE = ("http://", "https://", "//")


def invalid_mapping(where: str, reason: str) -> FatalSourceError:
    """The error for a mapping that cannot be compiled; `where` is the dotted name of the wrong key."""
    return FatalSourceError(
        f"mapping: {where}: {reason}",
        code="invalid_mapping",
        suggestion=f"correct {where} in the mapping of the source; docs/feeds.md explains the language",
    )


def refuse_unknown(spec: dict[str, Any], known: frozenset[str], where: str) -> None:
    """Let no key pass that would be ignored in silence.

    Raises:
        FatalSourceError: `invalid_mapping`, naming the first such key.
    """
    for key in spec:
        if key not in known:
            raise invalid_mapping(
                f"{where}.{key}" if where else key, f"unknown key, known are {', '.join(sorted(known))}"
            )


def is_empty(value: object) -> bool:
    """Whether a value says nothing: None, blank text, an empty list or object. Zero and false say something."""
    if value:
        return isinstance(value, str) and value.isspace()
    return value is None or isinstance(value, str | list | dict)


def compile_value(spec: object, where: str) -> Value:
    """Compile "a.b.0.c", a list of alternatives, or {"path" | "const", "split", "map", "prefix", "default"}.

    Raises:
        FatalSourceError: `invalid_mapping`.
    """
    match spec:
        case str():
            return _path(spec, where)
        case list() if spec:
            return _first([compile_value(item, f"{where}[{number}]") for number, item in enumerate(spec)])
        case dict():
            return _described(spec, where)
    raise invalid_mapping(where, "must be a path, a list of paths, or an object with path or const")


def compile_list(spec: object, where: str) -> Callable[[Any], Sequence[Any]]:
    """Compile the `each` of a nested mapping: the elements of a list; a single object counts as a list of one.

    The compiled function raises ValueError when the record has something else there.
    """
    get = compile_value(spec, where)

    def elements(record: Any) -> Sequence[Any]:
        value = get(record)
        if value is None:
            return ()
        if isinstance(value, list):
            return value
        if isinstance(value, dict):
            return (value,)
        raise ValueError("must be a list")

    return elements


def _path(path: str, where: str) -> Value:
    steps = _steps(path)
    if not all(step for step, _ in steps):
        raise invalid_mapping(where, f"the path {path!r} has an empty step")
    if name := plain_name(path):
        return _name(name)

    def get(record: Any) -> Any:
        value = record
        for step, index in steps:
            if isinstance(value, dict):
                value = value.get(step)
            elif index is not None and isinstance(value, list) and -len(value) <= index < len(value):
                value = value[index]
            else:
                return None
        return None if is_empty(value) else value

    return get


def _steps(path: str) -> list[tuple[str, int | None]]:
    return [(step.replace("\\.", "."), _index(step)) for step in _DOT.split(path)]


def plain_name(path: str) -> str:
    """The name that a path consists of; "" if it leads further or into a list."""
    (name, index), *more = _steps(path)
    return name if index is None and not more else ""


def first_name(spec: object) -> str:
    """The field of a record that a value is found in; "" where more than one may be looked at."""
    if isinstance(spec, dict):
        spec = spec.get("path", "")
    return _steps(spec)[0][0] if isinstance(spec, str) else ""


def _name(name: str) -> Value:
    """The common case of `_path`: the name of a field, at half the cost."""

    def get(record: Any) -> Any:
        value = record.get(name) if isinstance(record, dict) else None
        return None if is_empty(value) else value

    return get


def _index(step: str) -> int | None:
    return int(step) if _INDEX.fullmatch(step) else None


def _first(alternatives: list[Value]) -> Value:
    def get(record: Any) -> Any:
        for alternative in alternatives:
            value = alternative(record)
            if value is not None:
                return value
        return None

    return get


def _described(spec: dict[str, Any], where: str) -> Value:
    refuse_unknown(spec, KEYS, where)
    if ("path" in spec) == ("const" in spec):
        raise invalid_mapping(where, "needs either path or const")
    get = compile_value(spec["path"], f"{where}.path") if "path" in spec else _always(spec["const"])
    changes = _changes(spec, where)
    default = spec.get("default")

    def described(record: Any) -> Any:
        value = get(record)
        for change in changes:
            if value is None:
                break
            value = change(value)
        return default if value is None else value

    return described


def _always(const: object) -> Value:
    return lambda _: const


def _changes(spec: dict[str, Any], where: str) -> list[Value]:
    makers = {"split": _split, "map": _map, "prefix": _prefix}
    return [make(spec[key], f"{where}.{key}") for key, make in makers.items() if key in spec]


def _split(separator: object, where: str) -> Value:
    if not isinstance(separator, str) or not separator:
        raise invalid_mapping(where, "must be the text between two elements")

    def split(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return [part for part in map(text, value.split(separator)) if part] or None

    return split


def _map(table: object, where: str) -> Value:
    if not isinstance(table, dict):
        raise invalid_mapping(where, "must be an object from the source's values to ours")
    return _for_each(lambda item: table.get(text(item)))


def _prefix(prefix: object, where: str) -> Value:
    if not isinstance(prefix, str):
        raise invalid_mapping(where, "must be text")
    done = (prefix, *_ABSOLUTE)

    def put_before(item: Any) -> str | None:
        plain = text(item)
        if not plain:
            return None
        return plain if plain.startswith(done) else prefix + plain

    return _for_each(put_before)


def _for_each(change: Value) -> Value:
    def changed(value: Any) -> Any:
        if not isinstance(value, list):
            return change(value)
        return [item for item in map(change, value) if item is not None] or None

    return changed
