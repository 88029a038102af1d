"""Keys and passwords of the demo: made at the first run, kept in a file only its owner can read."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet

USERS = ("admin", "operator", "viewer")


def load_keys(path: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Every key and password by its variable's name; the environment wins over the file, the file over a new value."""
    stored = _read(path)
    fresh = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "JWT_SIGNING_KEY": secrets.token_urlsafe(48),
        "CREDENTIALS_KEYS": Fernet.generate_key().decode(),
        **{f"{user.upper()}_PASSWORD": secrets.token_urlsafe(12) for user in USERS},
    }
    kept = {name: stored.get(name, value) for name, value in fresh.items()}
    if kept != stored:
        write_private(path, kept)
    return {name: environment.get(name) or value for name, value in kept.items()}


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
