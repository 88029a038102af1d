"""Sign-in, renewal, sign-out and one's own profile."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

import accounts.api.schema  # noqa: F401 (importing it registers the security scheme)
from accounts import selectors, services
from accounts.api.serializers import LoginSerializer, ProfileSerializer, RefreshTokenSerializer, SessionSerializer
from accounts.authentication import AuthenticatedUser, JWTAuthentication
from accounts.models import User
from system.api.permissions import IsAnyone, IsUser
from system.api.views import ApiViewSet

REFUSED = OpenApiResponse(description="Refused; the answer does not say why")


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
    throttle_buckets = {"login": ("login",)}
    # The name that is tried has a limit, too, and stands in the body.
    self_charging_actions = frozenset({"login"})

    def get_authenticators(self) -> list[BaseAuthentication]:
        # The framework asks before it sets the action, and once without a request, to document the view.
        method = getattr(self.request, "method", None) or ""
        if self.action_map.get(method.lower()) == "logout":
            return [JWTAuthentication(ended_too=True)]
        return super().get_authenticators()

    @extend_schema(request=LoginSerializer, responses={200: SessionSerializer, 401: REFUSED})
    def login(self, request: Request) -> Response:
        """Sign in with a user name or e-mail address and a password."""
        body = LoginSerializer.parse(request)
        self.charge(request, needs_limiter=True, login_name=body["username"])
        return self.reply(services.login(body["username"], body["password"]), message=_("Signed in"))

    @extend_schema(request=RefreshTokenSerializer, responses={200: SessionSerializer, 401: REFUSED})
    def refresh(self, request: Request) -> Response:
        """Exchange a refresh token for a new pair; using one twice ends the session."""
        body = RefreshTokenSerializer.parse(request)
        return self.reply(services.refresh(body["refresh_token"]))

    @extend_schema(request=RefreshTokenSerializer, responses={200: None})
    def logout(self, request: Request) -> Response:
        """End the session of a refresh token."""
        body = RefreshTokenSerializer.parse(request)
        services.logout(_caller(request).id, body["refresh_token"])
        return self.reply(message=_("Signed out"))

    @extend_schema(responses=ProfileSerializer)
    def profile(self, request: Request) -> Response:
        """Who am I?"""
        return self.reply(selectors.user_view(User.objects.get(pk=_caller(request).id)))

    @extend_schema(request=ProfileSerializer, responses=ProfileSerializer)
    def update_profile(self, request: Request) -> Response:
        """Change one's own e-mail address."""
        body = ProfileSerializer.parse(request, partial=True)
        return self.reply(selectors.user_view(services.update_profile(_caller(request).id, **body)))


def _caller(request: Request) -> AuthenticatedUser:
    caller: Any = request.user
    signed_in: AuthenticatedUser = caller
    return signed_in
