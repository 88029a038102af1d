"""One's own profile: the user, and the parts that other applications add."""

from collections.abc import Callable
from typing import Any

from accounts.models import User
from accounts.selectors.users import user_view

Provider = Callable[[int], Any]


def _none(_user_id: int) -> list[Any]:
    return []


_parts: dict[str, Provider] = {"followed_shops": _none}


def register_profile_part(name: str, provider: Provider) -> None:
    """Let an application above fill a part of the profile, from its `AppConfig.ready`.

    Args:
        name: the key in the profile, one that `ProfileSerializer` documents.
        provider: gives the part of the user with this id.
    """
    _parts[name] = provider


def profile_view(user: User) -> dict[str, Any]:
    """What somebody sees of themselves."""
    return user_view(user) | {name: provider(user.pk) for name, provider in _parts.items()}
