"""Fills the database: migrations, the demo's users, its source. A program: its orders are JSON on standard input."""

import sys

import django
import msgspec

from devstack.demo.options import GatewayAccess

django.setup()

from django.core.management import call_command  # noqa: E402 (Django must be set up first)
from django.db import OperationalError  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.services import create_user  # noqa: E402
from syncjobs.connectors.registry import Credentials  # noqa: E402
from syncjobs.models import Source  # noqa: E402
from syncjobs.services.sources import NewSource, SourceSettings, add_source, update_source  # noqa: E402


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What the database must hold before the servers start: passwords by user name, and where `source` asks."""

    passwords: dict[str, str]
    source: str
    gateway: GatewayAccess
    calls_per_second: float


def fill(orders: Orders) -> None:
    """Bring the database to where the demo begins; a second call changes nothing but the gateway's address."""
    call_command("migrate", verbosity=0, interactive=False)
    for username, password in orders.passwords.items():
        _ensure_user(username, password)
    _ensure_source(orders)


def _ensure_user(username: str, password: str) -> None:
    user = User.objects.filter(username=username).first()
    if user is None:
        email = f"{username}@example.com"
        create_user(username=username, email=email, password=password, role=username, tier=User.Tier.PREMIUM)
    elif not user.check_password(password):
        sys.exit(f"The database has a user {username} with another password; put it into {username.upper()}_PASSWORD.")


def _ensure_source(orders: Orders) -> None:
    place = {"gateway_url": orders.gateway.url}
    if orders.gateway.message_url:
        place["message_url"] = orders.gateway.message_url
    credentials = Credentials(
        app_key=orders.gateway.app_key,
        app_secret=orders.gateway.app_secret,
        access_token=orders.gateway.access_token,
        refresh_token=orders.gateway.refresh_token,
    )
    source = Source.objects.filter(name=orders.source).first()
    if source is None:
        kind, rate = Source.Kind.ALIBABA1688, orders.calls_per_second
        add_source(
            NewSource(name=orders.source, kind=kind, options=place, credentials=credentials, calls_per_second=rate)
        )
        return
    kept = {name: getattr(source, name) for name in SourceSettings.__struct_fields__}
    moved = SourceSettings(**kept | {"options": source.options | place})
    update_source(orders.source, moved, credentials=lambda _stored: credentials)


if __name__ == "__main__":
    try:
        fill(msgspec.json.decode(sys.stdin.buffer.read(), type=Orders))
    except OperationalError as error:
        sys.exit(f"The database at DATABASE_URL cannot be used: {error}")
