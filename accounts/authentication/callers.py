"""The caller of a request."""

from dataclasses import dataclass, field, replace

from system.api.permissions import SCOPES


@dataclass(frozen=True, slots=True)
class AuthenticatedUser:
    """The caller of a request; not a database row.

    Attributes:
        roles: every role held, those included in a higher one among them.
        family: the sign-in the token belongs to; "" for a key alone.
        scopes: what the credentials allow, those included in others among them; a token allows everything.
        key_id: the API key the call came with; None without one.
    """

    id: int
    username: str
    tier: str
    roles: frozenset[str] = frozenset()
    family: str = field(default="", repr=False)
    scopes: frozenset[str] = frozenset(SCOPES)
    key_id: int | None = None
    is_authenticated: bool = True
    is_anonymous: bool = False
    is_active: bool = True

    @property
    def pk(self) -> int:
        return self.id

    def get_username(self) -> str:
        """Django's word for the name."""
        return self.username

    def has_role(self, role: str) -> bool:
        """Whether the caller holds at least this role."""
        return role in self.roles

    def has_scope(self, scope: str) -> bool:
        """Whether the credentials allow this kind of call."""
        return scope in self.scopes

    def in_session(self, family: str) -> "AuthenticatedUser":
        """The same caller with the sign-in a token brought along."""
        return replace(self, family=family)
