"""Filters of list pages that stay cheap on big tables: no DISTINCT over the table, no list of all related rows."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.db.models import Model
from django.http import HttpRequest

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

LONGEST_VALUE = 100


class TextFilter(SimpleListFilter):
    """A filter the operator types into. Subclasses name it and narrow the rows by `self.text`."""

    template = "backoffice/text_filter.html"
    placeholder: Any = ""

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> list[tuple[str, str]]:  # noqa: ARG002
        return [("", "")]

    @property
    def text(self) -> str:
        """What was typed, cut to a sane length."""
        return (self.value() or "").strip().replace("\0", "")[:LONGEST_VALUE]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """One choice that carries the other parameters of the page, so that filters add up."""
        others = changelist.get_filters_params()
        others.pop(self.parameter_name or "", None)
        others.pop(PAGE_VAR, None)
        kept = [(name, value) for name, values in others.items() for value in values]
        if changelist.query:
            kept.append(("q", changelist.query))
        yield {"hidden": kept, "remove": changelist.get_query_string(remove=[self.parameter_name or ""])}


class ModelChoicesFilter(SimpleListFilter):
    """Narrow by one field's exact value out of a short list that `names` gives."""

    field = ""

    def names(self) -> list[tuple[str, Any]]:
        """(value, label) pairs, found without walking the table."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> list[tuple[str, Any]]:  # noqa: ARG002
        return self.names()

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002 (the framework's signature)
        value = self.value()
        return queryset.filter(**{self.field: value.replace("\0", "")}) if value else queryset


def distinct_values(model: type[Model], field: str) -> list[str]:
    """The few distinct values of an indexed column, by hopping along its index instead of reading the table."""
    found: list[str] = []
    rows: Any = model._default_manager.exclude(**{field: ""}).order_by(field)
    while len(found) < LONGEST_VALUE:
        after = rows.filter(**{f"{field}__gt": found[-1]}) if found else rows
        value = after.values_list(field, flat=True).first()
        if value is None:
            break
        found.append(value)
    return found
