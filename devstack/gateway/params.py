"""Arguments of API calls: text on the wire, JSON text for lists (1688 open platform)."""

from collections.abc import Mapping
from typing import Any

import orjson

from . import errors
from .clock import DateError, parse_date


def whole(params: Mapping[str, str], name: str, default: int) -> int:
    """A whole number. Raises GatewayError when it is none."""
    text = params.get(name, "")
    try:
        return int(text) if text else default
    except ValueError as error:
        raise errors.param_invalid(name) from error


def flag(params: Mapping[str, str], name: str) -> bool:
    """`true` or `false`; absent is false. Raises GatewayError for anything else."""
    text = params.get(name, "").lower()
    if text not in ("", "true", "false"):
        raise errors.param_invalid(name)
    return text == "true"


def date(params: Mapping[str, str], name: str) -> int | None:
    """Milliseconds since the epoch, None when absent. Raises GatewayError for text that is no date."""
    text = params.get(name)
    if not text:
        return None
    try:
        return parse_date(text)
    except DateError as error:
        raise errors.param_invalid(name) from error


def document(params: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object as JSON text, empty when absent. Raises GatewayError for anything else."""
    try:
        value = orjson.loads(params.get(name) or "{}")
    except (orjson.JSONDecodeError, TypeError) as error:
        raise errors.param_invalid(name) from error
    if not isinstance(value, dict):
        raise errors.param_invalid(name)
    return value


def number(document: Mapping[str, Any], name: str, default: int) -> int:
    """A whole number in an object, as number or as text. Raises GatewayError when it is none."""
    value = document.get(name)
    return default if value is None else whole({name: str(value)}, name, default)


def words(params: Mapping[str, str], name: str) -> list[str] | None:
    """A JSON list of texts, or texts with commas between; None when absent. Raises GatewayError for other JSON."""
    text = params.get(name, "").strip()
    if not text:
        return None
    if not text.startswith("["):
        return [word.strip() for word in text.split(",")]
    try:
        values = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise errors.param_invalid(name) from error
    return [str(value) for value in values]


def numbers(params: Mapping[str, str], name: str) -> list[int] | None:
    """A list of whole numbers, None when absent. Raises GatewayError for anything else."""
    values = words(params, name)
    try:
        return None if values is None else [int(value) for value in values]
    except ValueError as error:
        raise errors.param_invalid(name) from error
