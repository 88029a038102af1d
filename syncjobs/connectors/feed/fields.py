"""Single fields and nested lists of a mapping, compiled into functions that coerce or reject."""

from collections.abc import Callable
from typing import Any

import msgspec

from syncjobs.connectors.coerce import identifier
from syncjobs.connectors.feed.values import (
    compile_list,
    compile_value,
    invalid_mapping,
    is_empty,
    plain_name,
    refuse_unknown,
)
from syncjobs.engine.errors import RecordRejected

Coerce = Callable[[Any], Any]
Read = Callable[[Any], Any]
"""Takes one decoded record and gives the field's exact value, or raises RecordRejected."""

CATEGORY_DIGITS = 12
_NESTED_KEYS = frozenset({"each", "fields"})


class Field(msgspec.Struct, frozen=True):
    """What a mapping key becomes: `coerce` raises ValueError on nonsense, `empty` stands for no value."""

    target: str
    coerce: Coerce
    empty: Any = None


def rejected(field: str, reason: object) -> RecordRejected:
    """The rejection of a record because of one field."""
    return RecordRejected(f"{field}: {reason}", code="invalid_value", field=field)


def guarded(name: str, get: Read, field: Field, *, ignore: bool = False) -> Read:
    """Coerce what `get` finds; nonsense rejects the record, or counts as no value with `ignore`."""
    coerce, empty = field.coerce, field.empty

    def read(record: Any) -> Any:
        try:
            value = get(record)
            if value is not None:
                value = coerce(value)
        except ValueError as error:
            if ignore:
                return empty
            raise rejected(name, error) from error
        return empty if value is None else value

    return read


def _named(name: str, key: str, field: Field) -> Read:
    """The common case of `guarded`, a field of the record itself, at half the cost."""
    coerce, empty = field.coerce, field.empty

    def read(record: Any) -> Any:
        value = record.get(key) if isinstance(record, dict) else None
        # What `is_empty` says, which is not called for most.
        if (not value and is_empty(value)) or (type(value) is str and value.isspace()):
            return empty
        try:
            value = coerce(value)
        except ValueError as error:
            raise rejected(name, error) from error
        return empty if value is None else value

    return read


def compile_field(name: str, spec: object, field: Field) -> Read:
    """Compile one field; {"invalid": "ignore"} beside its path makes nonsense count as no value.

    Raises:
        FatalSourceError: `invalid_mapping`.
    """
    ignore = False
    if isinstance(spec, str) and (key := plain_name(spec)):
        return _named(name, key, field)
    if isinstance(spec, dict) and "invalid" in spec:
        if spec["invalid"] != "ignore":
            raise invalid_mapping(f"{name}.invalid", 'the only choice is "ignore"')
        spec = {key: value for key, value in spec.items() if key != "invalid"}
        ignore = True
    return guarded(name, compile_value(spec, name), field, ignore=ignore)


def compile_fields(
    spec: object, fields: dict[str, Field], where: str, required: tuple[str, ...] = ()
) -> dict[str, Read]:
    """Compile an object of fields into {target: read}.

    Raises:
        FatalSourceError: `invalid_mapping`, naming the unknown or missing key.
    """
    if not isinstance(spec, dict):
        raise invalid_mapping(where, "must be an object of fields")
    refuse_unknown(spec, frozenset(fields), where)
    dotted = f"{where}." if where else ""
    for key in required:
        if key not in spec:
            raise invalid_mapping(f"{dotted}{key}", "is missing")
    return {fields[key].target: compile_field(f"{dotted}{key}", value, fields[key]) for key, value in spec.items()}


def compile_nested(spec: object, where: str) -> tuple[Read, Any]:
    """Split {"each": …, "fields": …} into a function for the elements and the object of fields.

    Raises:
        FatalSourceError: `invalid_mapping`.
    """
    if not isinstance(spec, dict):
        raise invalid_mapping(where, "must be an object with each and fields")
    refuse_unknown(spec, _NESTED_KEYS, where)
    for key in ("each", "fields"):
        if key not in spec:
            raise invalid_mapping(f"{where}.{key}", "is missing")
    elements = compile_list(spec["each"], f"{where}.each")
    return guarded(f"{where}.each", elements, Field("", lambda value: value, ())), spec["fields"]


def category_number(value: object) -> int | None:
    """The platform's number of a category; None for 0 and for none.

    Raises:
        ValueError: not a number below 10^12, where the numbers of other sources' categories begin.
    """
    if type(value) is int and 0 < value < 10**CATEGORY_DIGITS:
        return value
    plain = identifier(value)
    if not plain or plain == "0":
        return None
    if not (plain.isascii() and plain.isdigit() and len(plain) <= CATEGORY_DIGITS):
        raise ValueError(f"{plain!r} is not a category number")
    return int(plain) or None


def names(value: object, coerce: Coerce) -> tuple[str, ...]:
    """A path of names from one text or a list of them; blank ones are left out."""
    items = value if isinstance(value, list) else [value]
    return tuple(name for item in items if (name := coerce(item)))
