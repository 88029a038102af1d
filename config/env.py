"""Typed readers of environment variables: a wrong value stops the start with a sentence."""

import os
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})


def load_env_files(*names: str) -> None:
    """Read KEY=VALUE files from the project folder into the environment.

    Real variables win, missing files are skipped, and IGNORE_ENV_FILES=1 skips them all.
    """
    if boolean("IGNORE_ENV_FILES", False):
        return
    for name in names:
        path = BASE_DIR / name
        if path.is_file() and os.access(path, os.R_OK):
            _load_lines(path.read_text(encoding="utf-8"))


def _load_lines(text: str) -> None:
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith("#"):
            os.environ.setdefault(key.strip(), value.strip())


def text(name: str, default: str | None = None) -> str:
    """A string; without a default it must be set and not empty.

    Raises:
        ImproperlyConfigured: missing.
    """
    value = os.environ.get(name, "")
    if value:
        return value
    if default is None:
        raise ImproperlyConfigured(f"{name} is not set. Put it into the environment or into .env; see .env.example.")
    return default


def integer(name: str, default: int, *, minimum: int = 0, maximum: int | None = None) -> int:
    """A whole number inside its bounds.

    Raises:
        ImproperlyConfigured: not a number, or out of bounds.
    """
    raw = os.environ.get(name, "")
    try:
        value = int(raw) if raw else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}.") from None
    if value < minimum or (maximum is not None and value > maximum):
        raise ImproperlyConfigured(f"{name} must be between {minimum} and {maximum or 'any'}, not {value}.")
    return value


def boolean(name: str, default: bool) -> bool:
    """true/false, 1/0, yes/no, on/off.

    Raises:
        ImproperlyConfigured: any other word.
    """
    raw = os.environ.get(name, "").lower()
    if not raw:
        return default
    if raw in TRUE_WORDS | FALSE_WORDS:
        return raw in TRUE_WORDS
    raise ImproperlyConfigured(f"{name} must be true or false, not {raw!r}.")


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list; blanks around the items are dropped."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def networks(name: str, listed: list[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    """Addresses and networks such as 10.0.0.7, 172.16.0.0/12 or fd00::/8.

    Raises:
        ImproperlyConfigured: one of them is neither.
    """
    try:
        return tuple(ip_network(item) for item in listed)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must list addresses or networks: {error}.") from None


def url(name: str, schemes: tuple[str, ...], default: str | None = None) -> str:
    """A URL of one of these schemes.

    Raises:
        ImproperlyConfigured: missing, or of another scheme; the value is never shown, it may hold a password.
    """
    value = text(name, default)
    if urlsplit(value).scheme not in schemes:
        raise ImproperlyConfigured(f"{name} must be a URL that starts with {' or '.join(schemes)}://")
    return value


class Server(NamedTuple):
    """A server as a URL names it; user name and password as they stand there, still quoted."""

    scheme: str
    host: str
    port: int
    username: str
    password: str
    options: Mapping[str, str]


def server(name: str, ports: Mapping[str, int], options: Mapping[str, tuple[str, ...]]) -> Server | None:
    """A server by its URL; None when the variable is not set.

    Args:
        ports: the schemes that may be used, each with its usual port.
        options: the query parameters that may be used, each with its values.

    Raises:
        ImproperlyConfigured: another scheme or option, no host, or no port number; the value is never shown, it may
            hold a password.
    """
    value = os.environ.get(name, "")
    if not value:
        return None
    forms = " or ".join(f"{scheme}://user:password@host:port" for scheme in ports)
    try:
        parts = urlsplit(value)
        port = parts.port or ports[parts.scheme]
        given = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except (ValueError, KeyError):
        raise ImproperlyConfigured(f"{name} must look like {forms}.") from None
    if not parts.hostname or any(given[key] not in options.get(key, ()) for key in given):
        allowed = ", ".join(f"{key}={'|'.join(words)}" for key, words in options.items())
        raise ImproperlyConfigured(f"{name} must look like {forms}; behind a ? it may say {allowed}.")
    return Server(parts.scheme, parts.hostname, port, parts.username or "", parts.password or "", given)
