"""Sign-in and profile, API keys, users."""

import accounts.api.schema  # noqa: F401 (importing it registers the security schemes)
from accounts.api.views.auth import AuthViewSet, ProfileViewSet
from accounts.api.views.keys import ApiKeyViewSet
from accounts.api.views.users import UserViewSet

__all__ = ["ApiKeyViewSet", "AuthViewSet", "ProfileViewSet", "UserViewSet"]
