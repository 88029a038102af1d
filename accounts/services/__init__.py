"""Writes about users, one function a use case; REST, back office and commands call the same ones."""

from accounts.services.keys import NewKey, create_key, reset_key, revoke_key
from accounts.services.passwords import change_own_password, change_password
from accounts.services.purging import purge_user, register_user_purger
from accounts.services.sessions import end_sessions, login, logout, open_session, refresh
from accounts.services.users import UserChanges, create_user, delete_user, update_profile, update_user

__all__ = [
    "NewKey",
    "UserChanges",
    "change_own_password",
    "change_password",
    "create_key",
    "create_user",
    "delete_user",
    "end_sessions",
    "login",
    "logout",
    "open_session",
    "purge_user",
    "refresh",
    "register_user_purger",
    "reset_key",
    "revoke_key",
    "update_profile",
    "update_user",
]
