"""Sign-in, renewal, sign-out and one's own profile."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

import accounts.api.schema  # noqa: F401 (importing it registers the security scheme)
from accounts import selectors, services
from accounts.api.serializers import LoginSerializer, ProfileSerializer, RefreshTokenSerializer, SessionSerializer
from accounts.authentication import SignOutAuthentication
from accounts.models import User
from system.api.permissions import IsAnyone, IsUser
from system.api.views import ApiViewSet


class AuthViewSet(ApiViewSet):
    """Answers hold secrets, so none may be stored on the way."""

    action_permissions = {
        "login": IsAnyone,
        "refresh": IsAnyone,
        "logout": IsUser,
        "profile": IsUser,
        "update_profile": IsUser,
    }
    cache_control = "no-store"

    def get_authenticators(self) -> list[BaseAuthentication]:
        if self.action_map.get((self.request.method or "").lower()) == "logout":
            return [SignOutAuthentication()]
        return super().get_authenticators()

    @extend_schema(request=LoginSerializer, responses=SessionSerializer)
    def login(self, request: Request) -> Response:
        """Sign in with a user name or e-mail address and a password."""
        body = LoginSerializer.parse(request)
        return self.reply(services.login(body["username"], body["password"]), message=_("Signed in"))

    @extend_schema(request=RefreshTokenSerializer, responses=SessionSerializer)
    def refresh(self, request: Request) -> Response:
        """Exchange a refresh token for a new pair; using one twice ends the session."""
        body = RefreshTokenSerializer.parse(request)
        return self.reply(services.refresh(body["refresh_token"]))

    @extend_schema(request=RefreshTokenSerializer, responses={200: None})
    def logout(self, request: Request) -> Response:
        """End the session of a refresh token."""
        body = RefreshTokenSerializer.parse(request)
        services.logout(request.user.id, body["refresh_token"])
        return self.reply(message=_("Signed out"))

    @extend_schema(responses=ProfileSerializer)
    def profile(self, request: Request) -> Response:
        """Who am I?"""
        return self.reply(selectors.user_view(User.objects.get(pk=request.user.id)))

    @extend_schema(request=ProfileSerializer, responses=ProfileSerializer)
    def update_profile(self, request: Request) -> Response:
        """Change one's own e-mail address."""
        body = ProfileSerializer.parse(request, partial=True)
        return self.reply(selectors.user_view(services.update_profile(request.user.id, **body)))
