"""Who may do what. Roles are the groups viewer, operator and admin, each holding the rights of those before it.

An API key narrows its owner's rights to its scopes; a bearer token holds every scope. Tiers open costly features.
"""

from typing import TYPE_CHECKING, Any, ClassVar

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from system.errors import ApplicationError, ErrorCode

if TYPE_CHECKING:
    from rest_framework.views import APIView

Permission = BasePermission

SCOPES = ("read", "write", "sync", "admin")
# What holding a scope includes.
INCLUDED_SCOPES = {
    "read": frozenset({"read"}),
    "write": frozenset({"read", "write"}),
    "sync": frozenset({"read", "sync"}),
    "admin": frozenset(SCOPES),
}
PAYING_TIERS = frozenset({"enterprise", "premium"})


class DenyAll(BasePermission):
    """The default: a view that names nobody serves nobody."""

    def has_permission(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002 (the framework's signature)
        return False


class IsAnyone(BasePermission):
    """Public; credentials are not even looked at."""

    def has_permission(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002 (the framework's signature)
        return True


class IsUser(BasePermission):
    """Signed in, with or without a role.

    Attributes:
        scope: what an API key must hold for methods that write; reading needs `read`.
        paying: whether the tier must be enterprise or premium; operators need none.
    """

    scope: ClassVar[str] = "write"
    paying: ClassVar[bool] = False

    def has_permission(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002 (the framework's signature)
        user: Any = request.user
        if not user.is_authenticated or not self.has_rank(user):
            return False
        scope = self.needed_scope(request.method or "")
        if not user.has_scope(scope):
            raise ApplicationError(ErrorCode.SCOPE_REQUIRED, details={"scope": scope})
        if self.paying and user.tier not in PAYING_TIERS and not user.has_role("operator"):
            raise ApplicationError(ErrorCode.TIER_REQUIRED, details={"tier": user.tier, "needed": sorted(PAYING_TIERS)})
        return True

    def has_rank(self, user: Any) -> bool:  # noqa: ARG002 (any user ranks high enough)
        """Whether the caller's role is high enough."""
        return True

    def needed_scope(self, method: str) -> str:
        """The scope an API key needs for this method."""
        return "read" if method in SAFE_METHODS else self.scope


class HasRole(IsUser):
    """Signed in with at least `role`."""

    role: ClassVar[str] = ""

    def has_rank(self, user: Any) -> bool:
        return bool(user.has_role(self.role))


class IsPayingUser(IsUser):
    """Of the enterprise or premium tier, or an operator: batch, export, API keys (seed 001, section 4.4.1)."""

    paying = True


class IsViewer(HasRole):
    """May read syncs and queues."""

    role = "viewer"


class IsOperator(HasRole):
    """May act: write the catalogue."""

    role = "operator"


class IsSyncOperator(IsOperator):
    """May start, stop and decide about syncs and tasks."""

    scope = "sync"


class IsAdmin(HasRole):
    """May manage users and the system."""

    role = "admin"
    scope = "admin"

    def needed_scope(self, method: str) -> str:  # noqa: ARG002 (reading users and settings is managing, too)
        return "admin"
