"""Examples in the API's documents."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

AT, LATER = "2025-11-18T13:09:28Z", "2026-11-18T13:09:28Z"
TOKEN, REFRESH_TOKEN = "eyJhbGciOiJIUzI1NiIs…", "eyJhbGciOiJIUzI1NiIs…"

USER: dict[str, Any] = {
    "id": 7,
    "username": "testuser",
    "email": "test@example.com",
    "status": "active",
    "tier": "premium",
    "roles": ["operator"],
    "last_login_at": AT,
    "created_at": AT,
    "updated_at": AT,
}
KEY: dict[str, Any] = {
    "id": 3,
    "name": "shop system",
    "api_key": "s1688_ab12cd34_…",
    "scopes": ["read", "write"],
    "allowed_ips": ["203.0.113.0/24"],
    "created_at": AT,
    "updated_at": AT,
    "expires_at": LATER,
    "last_used_at": None,
}


def _request(name: str, value: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, value=value, request_only=True)


def _response(name: str, value: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True)


LOGIN_EXAMPLE = _request("Credentials", {"username": "user@example.com", "password": "password123"})
REFRESH_EXAMPLE = _request("The refresh token", {"refresh_token": REFRESH_TOKEN})
PASSWORD_EXAMPLE = _request("Passwords", {"current_password": "password123", "new_password": "correct horse 1688"})
SESSION_EXAMPLE = _response(
    "A session",
    {"token": TOKEN, "token_type": "Bearer", "expires_in": 3600, "refresh_token": REFRESH_TOKEN, "user": USER},
)
PROFILE_EXAMPLE = _response("Oneself", USER | {"followed_shops": [{"id": 12, "name": "义乌小商品"}]})
NEW_KEY_EXAMPLE = _request(
    "A key of one network for ninety days",
    {"name": "shop system", "scopes": ["write"], "expires_in_days": 90, "allowed_ips": ["203.0.113.0/24"]},
)
KEY_EXAMPLE = _response("A key", KEY)
SHOWN_KEY_EXAMPLE = _response(
    "A key, shown this once", KEY | {"api_key": "s1688_ab12cd34_0123456789abcdefghijABCDEFGHIJKL0aB3xY"}
)
NEW_USER_EXAMPLE = _request(
    "A new user", {"username": "testuser", "email": "test@example.com", "password": "password123"}
)
USER_CHANGES_EXAMPLE = _request("Address and status", {"email": "newemail@example.com", "status": "suspended"})
USER_EXAMPLE = _response("A user", USER | {"role": "operator", "deleted_at": None})
