"""Users, as they are shown and as they are written."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.serializers.passwords import password_field
from accounts.models import User
from accounts.roles import ROLES
from accounts.services.passwords import MIN_LENGTH
from system.api.serializers import StrictSerializer


class UserSerializer(StrictSerializer):
    """A user as the API shows it."""

    id = serializers.IntegerField(read_only=True)
    username = serializers.CharField(read_only=True)
    email = serializers.EmailField(read_only=True)
    status = serializers.ChoiceField(choices=User.Status.choices, read_only=True)
    tier = serializers.ChoiceField(choices=User.Tier.choices, read_only=True)
    roles: Any = serializers.ListField(child=serializers.ChoiceField(choices=ROLES), read_only=True)
    last_login_at = serializers.DateTimeField(read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


class FollowedShopSerializer(StrictSerializer):
    """A shop somebody follows."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(read_only=True)


class ProfileSerializer(UserSerializer):
    """One's own account; users change their e-mail address only."""

    email = serializers.EmailField(max_length=100)
    followed_shops = FollowedShopSerializer(many=True, read_only=True)


class ManagedUserSerializer(UserSerializer):
    """A user as administrators see it."""

    role = serializers.ChoiceField(
        choices=ROLES, allow_null=True, read_only=True, help_text=_("The highest role; null without one")
    )
    deleted_at = serializers.DateTimeField(read_only=True, allow_null=True)


class UserChangesSerializer(StrictSerializer):
    """What administrators change of a user."""

    email = serializers.EmailField(max_length=100, required=False)
    status = serializers.ChoiceField(choices=User.Status.choices, required=False)
    tier = serializers.ChoiceField(choices=User.Tier.choices, required=False)
    role = serializers.ChoiceField(
        choices=ROLES, allow_null=True, required=False, help_text=_("Takes the place of other roles; null for none")
    )


class NewUserSerializer(UserChangesSerializer):
    """A user to make; user names never change."""

    username = serializers.RegexField(r"^[a-zA-Z0-9_]{3,50}\Z", trim_whitespace=False)
    email = serializers.EmailField(max_length=100)
    password = password_field(min_length=MIN_LENGTH)
