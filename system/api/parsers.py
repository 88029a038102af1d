"""JSON in: one UTF-8 document, no duplicate keys, nothing that the database or another reader would refuse later."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework.parsers import BaseParser

from system.errors import ApplicationError, ErrorCode
from system.naming import AsSent

MAX_DEPTH = 32
MAX_INTEGER = 2**63 - 1
INTEGER_DIGITS = 20
NAME_IN_PLACE = 40


class _Refused:
    """Stands where the document holds something JSON allows or Python reads, but we do not take."""

    def __init__(self, reason: str | Promise) -> None:
        self.reason = reason


class StrictJSONParser(BaseParser):
    """Reads application/json and nothing else."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002 (the framework's signature)
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The document.

        Raises:
            ApplicationError: 413 too large; 400 not JSON, too deep, or a value that cannot be kept, naming its place.
        """
        context = parser_context or {}
        view = context["view"]
        body = _read(stream, context["request"].META.get("CONTENT_LENGTH"), view.max_body_bytes)
        return view.api.naming.read(parse_json(body, view.json_top_level), _unknown)


def parse_json(body: bytes, top_level: tuple[type, ...] = (dict,)) -> Any:
    """Parse and check a body.

    Raises:
        ApplicationError: 400.
    """
    try:
        document = json.loads(
            _decode(body),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_constant=lambda name: _Refused(_("{name} is not JSON.").format(name=name)),
        )
    except json.JSONDecodeError as error:
        _refuse(_("Not JSON."), line=error.lineno, column=error.colno)
    except RecursionError:
        _too_deep()
    _check(document, "", 1)
    if not isinstance(document, top_level):
        _refuse(_("The body must be a JSON object."))
    return document


def _read(stream: IO[bytes], announced: str | None, limit: int) -> bytes:
    if announced and announced.isascii() and announced.isdigit() and int(announced[:20]) > limit:
        raise ApplicationError(ErrorCode.PAYLOAD_TOO_LARGE, details={"max_bytes": limit})
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise ApplicationError(ErrorCode.PAYLOAD_TOO_LARGE, details={"max_bytes": limit})
    if announced and len(body) != int(announced):
        _refuse(_("The body is shorter than its Content-Length."))
    return body


def _decode(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        _refuse(_("Not UTF-8."), byte=error.start)
    if text.startswith("\ufeff"):
        _refuse(_("Starts with a byte order mark."))
    return text


def _object(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    twice = next(name for name, _value in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
    return _Refused(_("The key {name} appears twice.").format(name=ascii(twice[:NAME_IN_PLACE])))


def _integer(digits: str) -> Any:
    value = int(digits) if len(digits) <= INTEGER_DIGITS else MAX_INTEGER + 1
    return value if abs(value) <= MAX_INTEGER else _Refused(_("The number is too large."))


def _check(value: Any, place: str, depth: int) -> None:
    """Walk the document; raise at the first thing that cannot be kept."""
    if isinstance(value, str):
        _check_text(value, place)
    elif isinstance(value, dict):
        _check_depth(depth)
        for name, item in value.items():
            inner = f"{place}.{_printable(name)}" if place else _printable(name)
            _check_text(name, inner)
            _check(item, inner, depth + 1)
    elif isinstance(value, list):
        _check_depth(depth)
        for index, item in enumerate(value):
            _check(item, f"{place}[{index}]", depth + 1)
    elif isinstance(value, _Refused):
        _refuse(value.reason, place=place)
    elif isinstance(value, float) and math.isinf(value):
        _refuse(_("The number is too large."), place=place)


def _check_text(text: str, place: str) -> None:
    if text.isascii() and "\0" not in text:
        return
    if "\0" in text:
        _refuse(_("Contains a NUL character."), place=place)
    try:
        text.encode()
    except UnicodeEncodeError:
        _refuse(_("Contains half a surrogate pair."), place=place)


def _unknown(place: str) -> NoReturn:
    raise ApplicationError(ErrorCode.INVALID_PARAMETER, details={AsSent(place): [_("Unknown field.")]})


def _printable(name: str) -> str:
    return name[:NAME_IN_PLACE].encode("utf-8", "backslashreplace").decode()


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        _too_deep()


def _too_deep() -> NoReturn:
    _refuse(_("Nested more than {depth} levels deep.").format(depth=MAX_DEPTH))


def _refuse(reason: str | Promise, *, place: str = "", **where: int) -> NoReturn:
    details: dict[str, Any] = {place or "body": [reason]}
    raise ApplicationError(ErrorCode.INVALID_PARAMETER, details=details | where) from None
