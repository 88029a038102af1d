"""Who wins where an operator and a source disagree: a document of the source, by field."""

from typing import Any

from django.utils.translation import gettext as _

from products.ingest.ownership import EVERYTHING, POLICIES, POLICY_FIELDS, Policies
from syncjobs.models import Source
from system.errors import ApplicationError, ErrorCode


def policies_by_name(source: str) -> Policies:
    """The policies of the source of this name; none for one that is not there."""
    found: Policies | None = Source.objects.filter(name=source).values_list("field_policies", flat=True).first()
    return found or {}


def check_policies(said: Any) -> None:
    """Refuse fields that nobody can own and policies that there are not.

    Raises:
        ApplicationError: 400 with the reasons.
    """
    if wrong := wrong_policies(said):
        raise ApplicationError(ErrorCode.INVALID_PARAMETER, details={"field_policies": wrong})


def wrong_policies(said: Any) -> list[str]:
    """What is wrong with a document of policies, in words; empty when nothing is."""
    if not isinstance(said, dict):
        return [_("Must be an object.")]
    fields = [name for name in said if name not in (EVERYTHING, *POLICY_FIELDS)]
    values = [str(value) for value in said.values() if value not in POLICIES]
    wrong = [_("Unknown field %(field)s; the price speaks for all prices.") % {"field": name} for name in fields]
    return wrong + [_("Unknown policy %(policy)s.") % {"policy": value} for value in values]
