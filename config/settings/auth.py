"""Users, passwords and tokens."""

from datetime import timedelta
from typing import Any

from config.env import integer, text

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# Refused before hashing: hashing a megabyte costs the server, not the guesser.
MAX_PASSWORD_LENGTH = 128

ACCESS_TOKEN_SECONDS = integer("ACCESS_TOKEN_SECONDS", 3600, minimum=60, maximum=86_400)
SIMPLE_JWT: dict[str, Any] = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": text("JWT_SIGNING_KEY"),
    "USER_ID_CLAIM": "sub",
    "ISSUER": "1688sync",
    "AUDIENCE": "1688sync-api",
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=ACCESS_TOKEN_SECONDS),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "UPDATE_LAST_LOGIN": False,
    "LEEWAY": 5,
}
# How long a process may trust what it knows of a user: a disabled user is out after this many seconds.
USER_STATE_CACHE_SECONDS = 5
