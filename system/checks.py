"""System checks: what would make the system insecure or lose work is named before it starts."""

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

MIN_KEY_LENGTH = 32
MIN_DISTINCT_CHARACTERS = 8
MIN_TOKEN_LENGTH = 16
BLACKLIST_APPLICATION = "rest_framework_simplejwt.token_blacklist"
MAKE_SECRET = "python -c 'import secrets; print(secrets.token_urlsafe(48))'"  # noqa: S105 (a command, not a secret)
MAKE_FERNET_KEY = "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
PER_PROCESS_CACHES = ("locmem", "dummy")


@register(Tags.security)
def check_secrets(**_: Any) -> list[CheckMessage]:
    """system.E001 and E002: keys somebody could guess; system.E003: one key for two purposes."""
    if settings.DEBUG:
        return []
    keys: dict[str, str] = {"SECRET_KEY": settings.SECRET_KEY, "JWT_SIGNING_KEY": settings.SIMPLE_JWT["SIGNING_KEY"]}
    found: list[CheckMessage] = [
        Error(
            f"{name} is too short or too simple.",
            hint=f"Use at least {MIN_KEY_LENGTH} random characters: {MAKE_SECRET}",
            id=f"system.E00{number}",
        )
        for number, (name, key) in enumerate(keys.items(), 1)
        if len(key) < MIN_KEY_LENGTH or len(set(key)) < MIN_DISTINCT_CHARACTERS
    ]
    if len(set(keys.values())) < len(keys):
        found.append(
            Error(
                "JWT_SIGNING_KEY equals SECRET_KEY.",
                hint="Give each its own value, so that one leak does not open both.",
                id="system.E003",
            )
        )
    return found


@register(Tags.security)
def check_blacklist(**_: Any) -> list[CheckMessage]:
    """system.E004: without its application the token library skips the blacklist without a word."""
    if BLACKLIST_APPLICATION in settings.INSTALLED_APPS:
        return []
    return [
        Error(
            "Refresh tokens cannot be revoked.",
            hint=f"Add {BLACKLIST_APPLICATION} to INSTALLED_APPS.",
            id="system.E004",
        )
    ]


@register(Tags.security)
def check_credentials_keys(**_: Any) -> list[CheckMessage]:
    """system.E005: stored credentials could be neither written nor read."""
    bad = [position for position, key in enumerate(settings.CREDENTIALS_KEYS, 1) if not _is_fernet_key(key)]
    if not bad:
        return []
    return [
        Error(
            f"CREDENTIALS_KEYS: not a Fernet key at position {', '.join(map(str, bad))}.",
            hint=f"Make one with: {MAKE_FERNET_KEY}",
            id="system.E005",
        )
    ]


@register(Tags.compatibility)
def check_channel_layer(**_: Any) -> list[CheckMessage]:
    """system.E006: live status would stay inside one process."""
    if "InMemory" not in settings.CHANNEL_LAYERS["default"]["BACKEND"]:
        return []
    return [
        Error(
            "The channel layer lives in one process's memory.",
            hint="Use channels_redis, so that workers and every web process see each other.",
            id="system.E006",
        )
    ]


@register(Tags.caches)
def check_cache(**_: Any) -> list[CheckMessage]:
    """system.E007: limits and stamps would be counted per process."""
    backend = settings.CACHES["default"]["BACKEND"]
    if not any(name in backend for name in PER_PROCESS_CACHES):
        return []
    return [Error("The cache is private to a process.", hint="Use the Redis cache: set REDIS_URL.", id="system.E007")]


@register(Tags.security)
def check_metrics_token(**_: Any) -> list[CheckMessage]:
    """system.E008: a token for /metrics that somebody could guess."""
    if not settings.METRICS_TOKEN or len(settings.METRICS_TOKEN) >= MIN_TOKEN_LENGTH:
        return []
    return [
        Error(
            "METRICS_TOKEN is too short.",
            hint=f"Use at least {MIN_TOKEN_LENGTH} characters: {MAKE_SECRET}",
            id="system.E008",
        )
    ]


@register(Tags.security, deploy=True)
def check_open_hosts(**_: Any) -> list[CheckMessage]:
    """system.W001: any host name over plain HTTP invites forged links and stolen tokens."""
    if "*" not in settings.ALLOWED_HOSTS or settings.HTTPS_ONLY:
        return []
    return [
        Warning(
            "Every host name is served, and over plain HTTP.",
            hint="List your host names in ALLOWED_HOSTS and set HTTPS_ONLY=true behind TLS.",
            id="system.W001",
        )
    ]


@register(Tags.security, deploy=True)
def check_outbound_hosts(**_: Any) -> list[CheckMessage]:
    """system.W002: connectors that may call private addresses are for tests."""
    if not settings.OUTBOUND_ALLOWED_HOSTS:
        return []
    return [
        Warning(
            "Connectors may call hosts outside the public internet.",
            hint="Empty OUTBOUND_ALLOWED_HOSTS in production.",
            id="system.W002",
        )
    ]


@register(Tags.security)
def check_proxies(**_: Any) -> list[CheckMessage]:
    """system.W003: nobody may say that a call came over HTTPS, so each would be sent there again and again."""
    if not settings.HTTPS_ONLY or settings.TRUSTED_PROXIES:
        return []
    return [
        Warning(
            "HTTPS_ONLY is on, but no proxy is trusted to say that a call came over HTTPS.",
            hint="List the address of the proxy that ends TLS in TRUSTED_PROXIES.",
            id="system.W003",
        )
    ]


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True
