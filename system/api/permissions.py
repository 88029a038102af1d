"""Who may do what. Roles are the groups viewer, operator and admin, each holding the rights of those before it."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView

Permission = BasePermission


class DenyAll(BasePermission):
    """The default: a view that names nobody serves nobody."""

    def has_permission(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002 (the framework's signature)
        return False


class IsAnyone(BasePermission):
    """Public; credentials are not even looked at."""

    def has_permission(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002 (the framework's signature)
        return True


class IsUser(BasePermission):
    """Signed in, with or without a role."""

    def has_permission(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002 (the framework's signature)
        return bool(request.user.is_authenticated)


class HasRole(IsUser):
    """Signed in with at least `role`."""

    role = ""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return super().has_permission(request, view) and request.user.has_role(self.role)  # type: ignore[union-attr]


class IsViewer(HasRole):
    """May read syncs and queues."""

    role = "viewer"


class IsOperator(HasRole):
    """May act: start, stop, write the catalogue."""

    role = "operator"


class IsAdmin(HasRole):
    """May manage users and the system."""

    role = "admin"
