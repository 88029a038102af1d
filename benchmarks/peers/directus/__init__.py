"""Directus, an API over whatever tables there are; measured where `make bench` could install it."""

import secrets
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import psycopg

FOLDER = Path(__file__).resolve().parents[3] / ".devstack" / "bench-directus"
SERVE = Path(__file__).with_name("serve.mjs")
# The first user is its administrator: nothing that it asks for is looked up in rules first.
ADMINISTRATOR = {"ADMIN_EMAIL": "bench@example.com", "ADMIN_PASSWORD": secrets.token_urlsafe(16)}
TOKEN = secrets.token_urlsafe(32)
LAST_CHARACTERS = 500
_OTHERS = """
    SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'directus\\_%'
    AND tablename NOT IN ('products_product', 'products_category', 'products_shop', 'products_sku')
"""
# Our tables have no foreign keys, so it is told what belongs together.
_RELATIONS = """
    DELETE FROM directus_relations WHERE many_collection LIKE 'products\\_%';
    INSERT INTO directus_relations (many_collection, many_field, one_collection, one_field) VALUES
        ('products_product', 'category_id', 'products_category', NULL),
        ('products_product', 'shop_id', 'products_shop', NULL),
        ('products_sku', 'product_id', 'products_product', 'skus');
    DELETE FROM directus_fields WHERE collection LIKE 'products\\_%';
    INSERT INTO directus_fields (collection, field, special) VALUES ('products_product', 'skus', 'o2m');
    DELETE FROM directus_collections WHERE collection LIKE 'products\\_%';
    INSERT INTO directus_collections (collection) VALUES
        ('products_product'), ('products_category'), ('products_shop'), ('products_sku')
"""


@cache
def missing() -> str | None:
    """Why it cannot be measured here."""
    if not shutil.which("node"):
        return "Node.js is not installed (Debian: apt-get install nodejs npm)"
    return None if (FOLDER / ".installed").exists() else "Directus is not installed; `make bench` does that"


def command(port: int, processes: int) -> list[str]:  # noqa: ARG001 (it reads the port from its environment)
    """The command line."""
    return ["node", str(SERVE), str(FOLDER), str(processes)]


def environment(port: int, given: Mapping[str, str]) -> dict[str, str]:
    """Its settings: this database, nothing but the API, nothing that holds requests back."""
    return {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "DB_CLIENT": "pg",
        "DB_CONNECTION_STRING": given["DATABASE_URL"],
        "SECRET": given["SECRET_KEY"],
        "KEY": "bench",
        "NODE_ENV": "production",
        "CONFIG_PATH": str(FOLDER / "no.env"),
        "EXTENSIONS_PATH": str(FOLDER / "extensions"),
        "STORAGE_LOCAL_ROOT": str(FOLDER / "uploads"),
        "DB_EXCLUDE_TABLES": ",".join(_other_tables(given["DATABASE_URL"])),
        "SERVE_APP": "false",
        "TELEMETRY": "false",
        "LOG_LEVEL": "error",
        "PRESSURE_LIMITER_ENABLED": "false",
        "REDIS_ENABLED": "false",
        **ADMINISTRATOR,
    }


def _other_tables(url: str) -> list[str]:
    """What it need not know: it reads its copy of all it knows with every request."""
    with psycopg.connect(url) as connection:
        return [name for (name,) in connection.execute(_OTHERS)]


def prepare(settings: Mapping[str, str]) -> None:
    """Make its own tables beside ours and tell it of ours.

    Raises:
        RuntimeError: it could not be done.
    """
    done = subprocess.run(
        ["node", str(SERVE), str(FOLDER), "bootstrap"],
        env=dict(settings),
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"Directus cannot be set up: {(done.stderr or done.stdout)[-LAST_CHARACTERS:]}")
    with psycopg.connect(settings["DATABASE_URL"]) as connection:
        connection.execute(_RELATIONS)
        signed_in = connection.execute("UPDATE directus_users SET token = %s", [TOKEN])
        if signed_in.rowcount != 1:
            raise RuntimeError("Directus has been set up halfway: remove its tables, directus_*")
