"""Reads about users, their sessions and their keys."""

from accounts.selectors.keys import key_names, key_view, live_keys, owned_keys
from accounts.selectors.profiles import profile_view, register_profile_part
from accounts.selectors.states import KeyState, SessionState, key_state, session_state
from accounts.selectors.users import (
    held_roles,
    managed_view,
    role_names,
    user_by_identifier,
    user_detail,
    user_names,
    user_page,
    user_view,
)

__all__ = [
    "KeyState",
    "SessionState",
    "held_roles",
    "key_names",
    "key_state",
    "key_view",
    "live_keys",
    "managed_view",
    "owned_keys",
    "profile_view",
    "register_profile_part",
    "role_names",
    "session_state",
    "user_by_identifier",
    "user_detail",
    "user_names",
    "user_page",
    "user_view",
]
