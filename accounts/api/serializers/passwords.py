"""Passwords in bodies."""

from django.conf import settings
from rest_framework import serializers

from accounts.services.passwords import MIN_LENGTH
from system.api.serializers import StrictSerializer


def password_field(*, min_length: int | None = None) -> serializers.CharField:
    """A password: taken as it is typed, and never so long that hashing it costs the server."""
    return serializers.CharField(
        min_length=min_length,
        max_length=settings.MAX_PASSWORD_LENGTH,
        trim_whitespace=False,
        style={"input_type": "password"},
    )


class PasswordSerializer(StrictSerializer):
    """One's password, and the one to take its place."""

    current_password = password_field()
    new_password = password_field(min_length=MIN_LENGTH)
