"""Base classes of all back-office pages: bounded lists, closed lookups, buttons that post."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from system.backoffice.pages import CappedPaginator
from system.errors import ApplicationError

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    _Admin = ModelAdmin[Any]
else:
    from unfold.admin import ModelAdmin as _Admin

LONGEST_SEARCH = 200
FILTER_LOOKUPS = frozenset({"", "exact", "in", "isnull", "gte", "lt"})
# More rows at once belong into a job, not into a request.
MOST_SELECTED = 50


class BackOfficeAdmin(_Admin):
    """Pages of one table, opened by Django's permissions on it; the roles' groups hold those."""

    list_per_page = 50
    list_fullwidth = True
    list_max_show_all = 200
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    paginator = CappedPaginator
    empty_value_display = "–"

    def may_change(self, request: HttpRequest) -> bool:
        """Whether the user holds the permission to change this table, whatever its pages allow."""
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:  # noqa: ARG002
        """Only what the list's own filters offer: any other column could be guessed letter by letter."""
        name, _separator, how = lookup.partition("__")
        return name in self._filter_names(request) and how in FILTER_LOOKUPS

    def _filter_names(self, request: HttpRequest) -> set[str]:
        names = set()
        for entry in self.get_list_filter(request):
            field = entry[0] if isinstance(entry, tuple | list) else entry
            names.add(field if isinstance(field, str) else getattr(field, "parameter_name", ""))
        return names

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        return super().get_search_results(request, queryset, search_term[:LONGEST_SEARCH])

    def response_action(self, request: HttpRequest, queryset: "QuerySet[Any]", *args: Any, **kwargs: Any) -> Any:
        """Refuse made-up rows before they reach the database.

        Raises:
            BadRequest: a value that cannot be a primary key here.
        """
        for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                self.opts.pk.clean(chosen, None)
            except ValidationError as error:
                raise BadRequest("not a row of this table") from error
        return super().response_action(request, queryset, *args, **kwargs)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A service that refuses what a form asked for rolls everything back and says why."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ApplicationError as refusal:
            messages.error(request, refusal_text(refusal))
            return HttpResponseRedirect(request.get_full_path())

    def is_list(self, request: HttpRequest) -> bool:
        """Whether this request shows the list, which needs fewer columns than a page of one row."""
        match = request.resolver_match
        return match is not None and str(match.url_name).endswith("_changelist")

    def page(self, name: str) -> str:
        """The full name of one of this table's pages, for `reverse`."""
        return f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}"


class ReadOnlyAdmin(BackOfficeAdmin):
    """Pages of a table that machines write: to look at, nothing else."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


class Deed(NamedTuple):
    """Something an operator can do to a row: a button on its page and an action of the list.

    `run(request, row)` calls one service and returns what to tell the operator. `offered(row)` says whether the button
    makes sense now; the service itself still decides.
    """

    name: str
    label: Promise
    icon: str
    run: Callable[[HttpRequest, Any], str | None]
    offered: Callable[[Any], bool] = lambda _row: True
    tone: str = "default"


class ActingAdmin(BackOfficeAdmin):
    """Pages with deeds: posted with a CSRF token, for those who may change the table; a refusal becomes a message."""

    change_form_template = "backoffice/acting_change_form.html"

    def deeds(self) -> Sequence[Deed]:
        """What can be done to a row."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        act = path(
            "<path:object_id>/do/<slug:deed>/",
            self.admin_site.admin_view(self.act_view),
            name=self.page("do").removeprefix("admin:"),
        )
        return [act, *super().get_urls()]

    def act_view(self, request: HttpRequest, object_id: str, deed: str) -> HttpResponse:
        """Do one deed to one row, then show the row again."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        chosen = next((known for known in self.deeds() if known.name == deed), None)
        row = self.get_object(request, unquote(object_id))
        if chosen is None or row is None:
            raise Http404
        self._do(request, chosen, row)
        return HttpResponseRedirect(reverse(self.page("change"), args=[object_id]))

    def _do(self, request: HttpRequest, deed: Deed, row: Any) -> None:
        if not self.may_change(request):
            raise PermissionDenied
        try:
            told = deed.run(request, row)
        except ApplicationError as refusal:
            messages.error(request, f"{row}: {refusal_text(refusal)}")
        else:
            if told:
                messages.success(request, told)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        if self.may_change(request):
            actions |= {deed.name: (self._list_action(deed), deed.name, deed.label) for deed in self.deeds()}
        return actions

    def _list_action(self, deed: Deed) -> Callable[[Any, HttpRequest, "QuerySet[Any]"], None]:
        def run(_admin: Any, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
            rows = list(queryset[: MOST_SELECTED + 1])
            if len(rows) > MOST_SELECTED:
                messages.error(request, _("Select at most %(count)s rows at once.") % {"count": MOST_SELECTED})
                return
            for row in rows:
                self._do(request, deed, row)

        return run

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"buttons": self._buttons(request, object_id), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def _buttons(self, request: HttpRequest, object_id: str) -> list[dict[str, Any]]:
        row = self.get_object(request, unquote(object_id)) if self.may_change(request) else None
        if row is None:
            return []
        return [
            {"deed": deed, "url": reverse(self.page("do"), args=[object_id, deed.name])}
            for deed in self.deeds()
            if deed.offered(row)
        ]


def refusal_text(refusal: ApplicationError) -> str:
    """A refusal in the reader's language: what happened, to what, and what to do next."""
    details = refusal.details if isinstance(refusal.details, dict) else {}
    about = ", ".join(f"{name}: {_flat(value)}" for name, value in details.items())
    return " ".join(filter(None, [str(refusal.message), f"({about})" if about else "", str(refusal.suggestion)]))


def _flat(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
