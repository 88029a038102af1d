"""Keys and passwords of the demo: made at the first run, kept in a file only its owner can read."""

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.fernet import Fernet

USERS = ("admin", "operator", "viewer")
KEYS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "JWT_SIGNING_KEY": lambda: secrets.token_urlsafe(48),
    "CREDENTIALS_KEYS": lambda: Fernet.generate_key().decode(),
}


def load(path: Path, environment: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The keys by variable name, and the passwords by user name.

    The environment wins over the file, the file over a new value; new values are kept in the file.
    """
    stored = _read(path)
    fresh = {name: make() for name, make in KEYS.items()}
    fresh |= {f"{user.upper()}_PASSWORD": secrets.token_urlsafe(12) for user in USERS}
    kept = {name: stored.get(name, value) for name, value in fresh.items()}
    if kept != stored:
        write_private(path, kept)
    found = {name: environment.get(name) or value for name, value in kept.items()}
    return {name: found[name] for name in KEYS}, {user: found[f"{user.upper()}_PASSWORD"] for user in USERS}


def write_private(path: Path, values: Mapping[str, str]) -> None:
    """Write KEY=VALUE lines, mode 600 from the first byte, whole or not at all."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items())
    draft.replace(path)


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    pairs = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines())
    return {name: value for name, equals, value in pairs if equals}
