"""Sign-in, renewal, sign-out, one's password and profile."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors, services
from accounts.api.serializers.examples import (
    LOGIN_EXAMPLE,
    PASSWORD_EXAMPLE,
    PROFILE_EXAMPLE,
    REFRESH_EXAMPLE,
    SESSION_EXAMPLE,
)
from accounts.api.serializers.passwords import PasswordSerializer
from accounts.api.serializers.sessions import LoginSerializer, RefreshTokenSerializer, SessionSerializer
from accounts.api.serializers.users import ProfileSerializer
from accounts.api.views.requests import caller
from accounts.authentication import CredentialAuthentication
from accounts.models import User
from system.api.conditional import ConditionalViewSet, expected_versions
from system.api.permissions import IsAnyone, IsUser
from system.api.query import QuerySerializer
from system.api.views import ApiViewSet

REFUSED = OpenApiResponse(description=_("Refused; the answer does not say why"))


@extend_schema(tags=["auth"])
class AuthViewSet(ApiViewSet):
    """Answers hold secrets, so none may be stored on the way."""

    action_permissions = {
        "login": IsAnyone,
        "refresh": IsAnyone,
        "logout": IsUser,
        "change_password": IsUser,
    }
    cache_control = "no-store"
    throttle_buckets = {"login": ("login",), "change_password": ("login",)}
    # The name that is tried has a limit, too, and stands in the body.
    self_charging_actions = frozenset({"login"})
    keyless_actions = frozenset({"login", "refresh", "logout", "change_password"})
    idempotent_exempt = frozenset({"login", "refresh", "logout", "change_password"})

    def get_authenticators(self) -> list[BaseAuthentication]:
        # The framework asks before it sets the action, and once without a request, to document the view.
        method = getattr(self.request, "method", None) or ""
        if self.action_map.get(method.lower()) == "logout":
            return [CredentialAuthentication(ended_too=True)]
        return super().get_authenticators()

    @extend_schema(
        request=LoginSerializer,
        responses={200: SessionSerializer, 401: REFUSED},
        examples=[LOGIN_EXAMPLE, SESSION_EXAMPLE],
    )
    def login(self, request: Request) -> Response:
        """Sign in with a user name or e-mail address and a password."""
        body = LoginSerializer.parse(request)
        self.charge(request, login_name=body["username"])
        return self.reply(services.login(body["username"], body["password"]), message=_("Signed in"))

    @extend_schema(
        request=RefreshTokenSerializer,
        responses={200: SessionSerializer, 401: REFUSED},
        examples=[REFRESH_EXAMPLE, SESSION_EXAMPLE],
    )
    def refresh(self, request: Request) -> Response:
        """Exchange a refresh token for a new pair; using one twice ends the session."""
        body = RefreshTokenSerializer.parse(request)
        return self.reply(services.refresh(body["refresh_token"]))

    @extend_schema(request=RefreshTokenSerializer, responses={200: None}, examples=[REFRESH_EXAMPLE])
    def logout(self, request: Request) -> Response:
        """End the session of a refresh token."""
        body = RefreshTokenSerializer.parse(request)
        services.logout(caller(request).id, body["refresh_token"])
        return self.reply(message=_("Signed out"))

    @extend_schema(
        request=PasswordSerializer, responses={200: SessionSerializer}, examples=[PASSWORD_EXAMPLE, SESSION_EXAMPLE]
    )
    def change_password(self, request: Request) -> Response:
        """Change one's own password: every other session ends, and a fresh one is answered."""
        body = PasswordSerializer.parse(request)
        session = services.change_own_password(caller(request).id, body["current_password"], body["new_password"])
        return self.reply(session, message=_("Password changed"))


@extend_schema(tags=["auth"])
class ProfileViewSet(ConditionalViewSet):
    """One's own account."""

    permission_classes = [IsUser]

    @extend_schema(responses=ProfileSerializer, examples=[PROFILE_EXAMPLE])
    def profile(self, request: Request) -> Response:
        """Who am I?"""
        QuerySerializer.parse(request)
        user = User.objects.get(pk=caller(request).id)
        return self.reply_unless_known(request, selectors.profile_view(user), version=user.version)

    @extend_schema(request=ProfileSerializer, responses=ProfileSerializer, examples=[PROFILE_EXAMPLE])
    def update_profile(self, request: Request) -> Response:
        """Change one's own e-mail address."""
        body = ProfileSerializer.parse(request, partial=True)
        user = services.update_profile(caller(request).id, **body, expected=expected_versions(request))
        data = selectors.profile_view(user)
        return self.reply(data, headers={"ETag": self.etag(data, user.version)})
