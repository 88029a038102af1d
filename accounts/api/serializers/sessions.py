"""Sign-in and renewal."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.serializers.passwords import password_field
from accounts.api.serializers.users import UserSerializer
from system.api.serializers import StrictSerializer

IDENTIFIER_MAX_LENGTH = 254


class LoginSerializer(StrictSerializer):
    """Credentials; `username` may be the e-mail address."""

    username = serializers.CharField(max_length=IDENTIFIER_MAX_LENGTH, trim_whitespace=False)
    password = password_field()


class RefreshTokenSerializer(StrictSerializer):
    """The refresh token of a session."""

    refresh_token = serializers.CharField(max_length=4096, trim_whitespace=False)


class SessionSerializer(serializers.Serializer[Any]):
    """What signing in and renewing answer."""

    token = serializers.CharField()
    token_type = serializers.ChoiceField(choices=["Bearer"])
    expires_in = serializers.IntegerField(help_text=_("Seconds the access token is good for"))
    refresh_token = serializers.CharField()
    user = UserSerializer()
