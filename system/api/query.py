"""Query parameters of lists: declared, typed, each given once; anything else is a 400 that names it."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.request import Request

from system.naming import AsSent, Naming

if TYPE_CHECKING:
    from system.api.pagination import Window

LIST_MAX_ITEMS = 100
# Query strings that are remembered, and how long they may be: what a client made up must not fill the memory.
REMEMBERED_QUERIES, REMEMBERED_LENGTH = 2048, 500
# The parameters that say where in a list; the others say which list.
PLACES = frozenset({"page", "offset", "cursor"})
EARLIEST_YEAR = 1970
# What the framework makes of bytes that are no UTF-8; looking for it would find nothing and say so with a 200.
REPLACED = "\N{REPLACEMENT CHARACTER}"

# int() and Decimal() also take blanks, underscores, exponents and the digits of every script.
PLAIN_NUMBERS: tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], re.Pattern[str]], ...] = (
    (serializers.IntegerField, re.compile(r"-?[0-9]{1,18}")),
    (serializers.DecimalField, re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")),
)


class Query(dict[str, Any]):
    """The validated parameters of one request, defaults filled in.

    Attributes:
        given: names of the parameters the caller sent.
        window: which rows are asked for; set by `PageQuery`.
    """

    window: "Window"

    def __init__(self, values: Mapping[str, Any], given: frozenset[str], path: str, parameters: QueryDict) -> None:
        super().__init__(values)
        self.given = given
        self._path = path
        self._parameters = parameters

    def url_at(self, name: str, value: object) -> str:
        """This request's path and query at another place: `page`, `offset` or `cursor` with its value."""
        return f"{self._path}?{self._filters}{name}={value}"

    @cached_property
    def _filters(self) -> str:
        parameters = [
            (name, value) for name, values in self._parameters.lists() if name not in PLACES for value in values
        ]
        return f"{urlencode(parameters)}&" if parameters else ""


# Wherever both of a pair are parameters, they are the ends of a range.
RANGES = (("start_time", "end_time"), ("price_min", "price_max"))


class QuerySerializer(serializers.Serializer[Any]):
    """Base of list queries: declare a field a parameter, then call `parse`.

    A list parameter is a `ListField`, a flag a `BooleanField`, a time a `TimeField`, all from this module; numbers and
    choices are the framework's. A `sortby` that is a `SortField` brings its alias `sort` and `order` along.
    """

    @classmethod
    def parse(cls, request: Request) -> Query:
        """Validate the query string.

        Raises:
            serializers.ValidationError: unknown, malformed, empty or repeated parameters, by name.
        """
        sent: str = request._request.META.get("QUERY_STRING", "")
        read = _read if len(sent) <= REMEMBERED_LENGTH else _read.__wrapped__
        values, given, parameters = read(cls, _naming(request), sent)
        query = Query(values, given, request._request.path, parameters)
        cls.finish(query)
        return query

    @classmethod
    def finish(cls, query: Query) -> None:
        """Check parameters against each other and derive values; call the parent's too.

        Raises:
            serializers.ValidationError: they do not fit together.
        """
        for low, high in RANGES:
            refuse_reversed(query, low, high)
        if "sort" in query.given:
            if "sortby" in query.given:
                raise serializers.ValidationError({"sort": [_("Use sort or sortby, not both.")]})
            query["sortby"] = query["sort"]

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        sort = fields.get("sortby")
        if isinstance(sort, SortField):
            fields["sort"] = SortField(tuple(sort.choices), help_text=_("The same as sortby"))
            fields["order"] = serializers.ChoiceField(choices=["asc", "desc"], default=sort.default_order)
        return fields


def refuse_reversed(query: Query, low: str, high: str) -> None:
    """Refuse a range whose lower end lies above its upper one.

    Raises:
        serializers.ValidationError: names the lower end.
    """
    if query.get(low) is not None and query.get(high) is not None and query[low] > query[high]:
        raise serializers.ValidationError({low: [_("Must not be greater than {name}.").format(name=high)]})


@extend_schema_field(OpenApiTypes.BOOL)
class BooleanField(serializers.Field[bool, str, bool, Any]):
    """`true` or `false`, nothing else."""

    default_error_messages = {"invalid": _("Must be true or false.")}

    def to_internal_value(self, data: str) -> bool:
        if data not in {"true", "false"}:
            self.fail("invalid")
        return data == "true"

    def to_representation(self, value: bool) -> bool:
        return value


class ListField(serializers.ListField):
    """Several values, separated by commas or by repeating the parameter."""

    separator: ClassVar[str | None] = ","

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": LIST_MAX_ITEMS, "required": False, **kwargs})


class RepeatedField(ListField):
    """Several values by repeating the parameter alone: each may hold commas."""

    separator = None


@extend_schema_field({"type": "string", "example": "2025-11-18T13:09:28Z"})
class TimeField(serializers.Field[datetime, str, datetime, Any]):
    """ISO 8601, or `YYYY-MM-DD HH:MM:SS`; without an offset it is API_INPUT_TIME_ZONE. Gives an aware UTC datetime."""

    default_error_messages = {"invalid": _("Must be ISO 8601 or YYYY-MM-DD HH:MM:SS.")}
    form = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)

    def to_internal_value(self, data: str) -> datetime:
        if not self.form.fullmatch(data):
            self.fail("invalid")
        try:
            moment = datetime.fromisoformat(data)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=ZoneInfo(settings.API_INPUT_TIME_ZONE))
            moment = moment.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("invalid")
        if moment.year < EARLIEST_YEAR:
            self.fail("invalid")
        return moment

    def to_representation(self, value: datetime) -> datetime:
        return value


class SortField(serializers.ChoiceField):
    """The one column to sort by; declare it as `sortby`.

    Args:
        names: public names; the view maps them to columns, so a name never reaches the database.
        order: the direction when the caller gives none.
    """

    def __init__(self, names: tuple[str, ...], *, default: str = "", order: str = "desc", **kwargs: Any) -> None:
        self.default_order = order
        super().__init__(choices=list(names), **({"default": default} if default else {"required": False}), **kwargs)


@cache
def _prepared(
    query: type[QuerySerializer],
) -> tuple[dict[str, serializers.Field[Any, Any, Any, Any]], dict[str, Any]]:
    """The bound fields and the defaults of a query class. Fields keep no state of a request, so one set serves all."""
    fields = dict(query().fields)
    defaults = {name: field.default for name, field in fields.items() if field.default is not empty}
    return fields, defaults


@lru_cache(REMEMBERED_QUERIES)
def _read(query: type[QuerySerializer], naming: Naming, sent: str) -> tuple[dict[str, Any], frozenset[str], QueryDict]:
    """The parameters of a query string: their values, the names of those that were sent, and how they were sent.

    Clients ask for the same again and again, so what was good a moment ago is not looked at once more.

    Raises:
        serializers.ValidationError: unknown, malformed, empty or repeated parameters, by name.
    """
    fields, defaults = _prepared(query)
    parameters = QueryDict(sent.encode("latin-1"))
    values, errors, given = dict(defaults), {}, list[str]()
    for spelling in parameters:
        spelled = naming.incoming(spelling)
        name = AsSent(spelling) if spelled is None else spelled
        field = None if spelled is None else fields.get(spelled)
        try:
            values[name] = _value(field, parameters.getlist(spelling), naming)
        except serializers.ValidationError as error:
            errors[name] = error.detail
        given.append(name)
    if errors:
        raise serializers.ValidationError(errors)
    return values, frozenset(given), parameters


def _naming(request: Request) -> Naming:
    """How the API version of the view that asks spells names."""
    view: Any = (request.parser_context or {}).get("view")
    naming: Naming = view.api.naming
    return naming


def _value(field: serializers.Field[Any, Any, Any, Any] | None, given: list[str], naming: Naming) -> Any:
    if field is None:
        raise serializers.ValidationError([_("Unknown parameter.")])
    if isinstance(field, serializers.ListField):
        items = [item for value in given for item in _items(field, value)]
        return field.run_validation([_own(field.child, _plain(field.child, item), naming) for item in items])
    if len(given) > 1:
        raise serializers.ValidationError([_("May be given only once.")])
    return field.run_validation(_own(field, _plain(field, given[0]), naming))


def _items(field: serializers.ListField, text: str) -> list[str]:
    separator = getattr(field, "separator", ",")
    return text.split(separator) if separator else [text]


def _own(field: serializers.Field[Any, Any, Any, Any], text: str, naming: Naming) -> str:
    """Our spelling of a value; what a list is sorted by is a name of ours, too."""
    return naming.incoming(text) or text if isinstance(field, SortField) else text


def _plain(field: serializers.Field[Any, Any, Any, Any], text: str) -> str:
    if not text and not getattr(field, "allow_blank", False):
        raise serializers.ValidationError([_("Must not be empty.")])
    if REPLACED in text:
        raise serializers.ValidationError([serializers.CharField.default_error_messages["invalid"]])
    for kind, form in PLAIN_NUMBERS:
        if isinstance(field, kind) and not form.fullmatch(text):
            raise serializers.ValidationError([_("A valid number is required.")])
    return text
