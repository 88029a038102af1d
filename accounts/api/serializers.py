"""Bodies of the auth routes."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from accounts.models import User
from accounts.roles import ROLES
from system.api.serializers import StrictSerializer

IDENTIFIER_MAX_LENGTH = 254


class LoginSerializer(StrictSerializer):
    """Credentials; `username` may be the e-mail address."""

    username = serializers.CharField(max_length=IDENTIFIER_MAX_LENGTH, trim_whitespace=False)
    password = serializers.CharField(
        max_length=settings.MAX_PASSWORD_LENGTH, trim_whitespace=False, style={"input_type": "password"}
    )


class RefreshTokenSerializer(StrictSerializer):
    """The refresh token of a session."""

    refresh_token = serializers.CharField(max_length=4096, trim_whitespace=False)


class ProfileSerializer(StrictSerializer):
    """A user as the API shows it; users change their e-mail address only."""

    id = serializers.IntegerField(read_only=True)
    username = serializers.CharField(read_only=True)
    email = serializers.EmailField(max_length=100)
    status = serializers.ChoiceField(choices=User.Status.choices, read_only=True)
    tier = serializers.ChoiceField(choices=User.Tier.choices, read_only=True)
    roles: Any = serializers.ListField(child=serializers.ChoiceField(choices=ROLES), read_only=True)
    last_login_at = serializers.DateTimeField(read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


class SessionSerializer(serializers.Serializer[Any]):
    """What signing in and renewing answer."""

    token = serializers.CharField()
    token_type = serializers.ChoiceField(choices=["Bearer"])
    expires_in = serializers.IntegerField(help_text="Seconds the access token is good for")
    refresh_token = serializers.CharField()
    user = ProfileSerializer()
