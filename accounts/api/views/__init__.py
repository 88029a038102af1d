"""Sign-in and profile, API keys, users."""

from accounts.api.views.auth import AuthViewSet, ProfileViewSet
from accounts.api.views.keys import ApiKeyViewSet
from accounts.api.views.users import UserViewSet

__all__ = ["ApiKeyViewSet", "AuthViewSet", "ProfileViewSet", "UserViewSet"]
