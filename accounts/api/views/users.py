"""Accounts, for administrators (seed 003)."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors, services
from accounts.api.queries import UsersQuery
from accounts.api.serializers.examples import NEW_USER_EXAMPLE, USER_CHANGES_EXAMPLE, USER_EXAMPLE
from accounts.api.serializers.users import ManagedUserSerializer, NewUserSerializer, UserChangesSerializer
from accounts.models import User
from system.api.conditional import ConditionalViewSet, expected_versions
from system.api.paths import row_id
from system.api.permissions import IsAdmin
from system.api.query import QuerySerializer
from system.errors import ApplicationError, ErrorCode

CREATED = 201


@extend_schema(tags=["users"])
class UserViewSet(ConditionalViewSet):
    """Everybody's accounts; a deleted one is listed under `deleted=true` until it is purged."""

    permission_classes = [IsAdmin]

    @extend_schema(parameters=[UsersQuery], responses=ManagedUserSerializer(many=True), examples=[USER_EXAMPLE])
    def list(self, request: Request) -> Response:
        """One page of users, newest first unless sorted otherwise."""
        return self.reply_unless_known(request, selectors.user_page(UsersQuery.parse(request)))

    @extend_schema(
        request=NewUserSerializer, responses={201: ManagedUserSerializer}, examples=[NEW_USER_EXAMPLE, USER_EXAMPLE]
    )
    def create(self, request: Request) -> Response:
        """Make a user; one with a role may enter the back office."""
        body = NewUserSerializer.parse(request)
        role = body.pop("role", None) or ""
        user = services.create_user(**body, role=role, any_password=True)
        return self._answer(user, status=CREATED, location=f"{request.path.rstrip('/')}/{user.pk}")

    @extend_schema(responses=ManagedUserSerializer, examples=[USER_EXAMPLE])
    def retrieve(self, request: Request, pk: str) -> Response:
        """One user."""
        QuerySerializer.parse(request)
        user = selectors.user_detail(row_id(pk))
        if user is None:
            raise ApplicationError(ErrorCode.NOT_FOUND)
        return self.reply_unless_known(request, selectors.managed_view(user), version=user.version)

    @extend_schema(
        request=UserChangesSerializer, responses=ManagedUserSerializer, examples=[USER_CHANGES_EXAMPLE, USER_EXAMPLE]
    )
    def update(self, request: Request, pk: str) -> Response:
        """Change a user. What is left out stays, as in PATCH; another status or role ends the user's sessions."""
        return self._change(request, pk)

    @extend_schema(
        request=UserChangesSerializer, responses=ManagedUserSerializer, examples=[USER_CHANGES_EXAMPLE, USER_EXAMPLE]
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change part of a user; another status or role ends the user's sessions."""
        return self._change(request, pk)

    @extend_schema(responses={204: None, 409: OpenApiResponse(description=_("You cannot delete your own account"))})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a user: tokens and keys are refused, the row stays, and its names are taken until it is purged."""
        services.delete_user(row_id(pk), expected=expected_versions(request))
        return self.reply(status=204)

    @extend_schema(request=None, responses={204: None})
    def purge(self, request: Request, pk: str) -> Response:
        """Remove a deleted user for good, with keys, tokens and follows; the audit log keeps its lines."""
        services.purge_user(row_id(pk))
        return self.reply(status=204)

    def _change(self, request: Request, pk: str) -> Response:
        changes = UserChangesSerializer.parse(request)
        wanted = services.UserChanges(**changes)  # type: ignore[typeddict-item] # the serializer has its fields
        user = services.update_user(row_id(pk), wanted, expected=expected_versions(request))
        return self._answer(user)

    def _answer(self, user: User, *, status: int = 200, location: str = "") -> Response:
        data = selectors.managed_view(user)
        headers = {"ETag": self.etag(data, user.version)} | ({"Location": location} if location else {})
        return self.reply(data, status=status, headers=headers)
