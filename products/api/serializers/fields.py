"""The fields of bodies that write the catalogue: exact money, clean text, addresses that are safe to show."""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

MAX_MONEY = Decimal("9999999999.99")
MAX_WHOLE = 2**31 - 1
MAX_ID = 10**18 - 1
MAX_URL = 2000
MAX_NAMES = 500
NAME_MAX_LENGTH = 200

# Control characters, but for line ends and tabs where a text may have lines.
CONTROLS = r"\x00-\x1f\x7f-\x9f"
_CONTROL = re.compile(f"[{CONTROLS}]")
_CONTROL_IN_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# str.strip() leaves the characters without width, so a title of nothing else would pass for one.
_BLANK = re.compile(r"^[\s\u180e\u200b\u2060\ufeff]+|[\s\u180e\u200b\u2060\ufeff]+$")
_INVISIBLE = frozenset({"Cf", "Zl", "Zp", "Zs"})
_HOST = r"(?:[^\s/?#@\\\[\]:]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
_WEB_ADDRESS = re.compile(rf"[Hh][Tt][Tt][Pp][Ss]?://{_HOST}(?:[/?#][^\s\\]*)?")


@extend_schema_field({"type": "number", "minimum": 0, "maximum": float(MAX_MONEY), "multipleOf": 0.01})
class MoneyField(serializers.Field[Decimal, Any, Any, Any]):
    """An amount from 0 with at most two places, a JSON number.

    The parser reads it as a float; the shortest text of a float of up to 15 digits is the text it was read from.
    """

    default_error_messages = {
        "type": _("Must be a number."),
        "range": _("Must be between 0 and {most}."),
        "places": _("At most two decimal places."),
    }

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("type")
        amount = Decimal(repr(data))
        if amount.is_signed() or amount > MAX_MONEY:
            self.fail("range", most=MAX_MONEY)
        exact = amount.quantize(Decimal("0.01"))
        if exact != amount:
            self.fail("places")
        return exact


class TextField(serializers.CharField):
    """Text in Unicode's composed form without outer blanks, zero-width ones included.

    What is left must show something, unless it may be blank. Direction marks are kept, as the languages that need them
    do: they are data, and inert where they are shown.

    Args:
        lines: the text may have line ends and tabs.
    """

    default_error_messages = {"control": _("Contains control characters.")}

    def __init__(self, *, lines: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self._control = _CONTROL_IN_LINES if lines else _CONTROL

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(self._cleaned(data) if isinstance(data, str) else data)

    def _cleaned(self, data: str) -> str:
        text = _BLANK.sub("", unicodedata.normalize("NFC", data))
        if self._control.search(text):
            self.fail("control")
        return text if any(unicodedata.category(letter) not in _INVISIBLE for letter in text) else ""


@extend_schema_field({"type": "string", "format": "uri", "maxLength": MAX_URL, "pattern": f"^{_WEB_ADDRESS.pattern}$"})
class AddressField(TextField):
    """An absolute http(s) address without user name and password. It is kept, and never called."""

    default_error_messages = {"address": _("Must be an absolute http or https address without user name and password.")}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_URL, **options)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if text and not _WEB_ADDRESS.fullmatch(text):
            self.fail("address")
        return text


class BoundedListField(serializers.ListField):
    """A list that is counted before its items are looked at."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


class NamedValuesField(serializers.JSONField):
    """Somebody's data by name: an object whose names are short and not too many."""

    default_error_messages = {
        "type": _("Must be an object."),
        "names": _("At most {names} names of 1 to {length} characters."),
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            self.fail("type")
        if len(data) > MAX_NAMES or not all(0 < len(name) <= NAME_MAX_LENGTH for name in data):
            self.fail("names", names=MAX_NAMES, length=NAME_MAX_LENGTH)
        return dict(data)


@extend_schema_field({"type": "object", "maxProperties": MAX_NAMES, "additionalProperties": {}})
class AttributesBodyField(NamedValuesField):
    """Anything about a product, by name; kept as it is."""


@extend_schema_field(
    {
        "type": "object",
        "maxProperties": MAX_NAMES,
        "additionalProperties": {"type": "string", "maxLength": NAME_MAX_LENGTH},
    }
)
class SpecBodyField(NamedValuesField):
    """The properties that tell a variant from the others, texts by name."""

    default_error_messages = {"texts": _("Its values must be texts of at most {length} characters.")}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        spec = super().to_internal_value(data)
        if not all(isinstance(value, str) and len(value) <= NAME_MAX_LENGTH for value in spec.values()):
            self.fail("texts", length=NAME_MAX_LENGTH)
        return spec
