"""Queries of the lists of users and keys."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.models import User
from accounts.roles import ROLES
from accounts.selectors.users import SORT_COLUMNS
from system.api.pagination import PageQuery
from system.api.query import BooleanField, ListField, SortField, TimeField

LONGEST_SEARCH = 100


class KeysQuery(PageQuery):
    """Which of one's keys; all that are not revoked."""


class UsersQuery(PageQuery):
    """Which users, and in which order."""

    status = ListField(child=serializers.ChoiceField(choices=User.Status.choices))
    tier = ListField(child=serializers.ChoiceField(choices=User.Tier.choices))
    role = serializers.ChoiceField(choices=ROLES, required=False)
    q = serializers.CharField(
        max_length=LONGEST_SEARCH, required=False, help_text=_("Part of the user name or the e-mail address")
    )
    start_time = TimeField(required=False, help_text=_("Made at or after"))
    end_time = TimeField(required=False, help_text=_("Made before"))
    deleted = BooleanField(default=False, help_text=_("Deleted users instead of the others"))
    sortby = SortField(tuple(SORT_COLUMNS), default="created_at")
