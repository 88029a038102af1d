"""What the person at the terminal asked for, read from the environment once."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

DEFAULT_PORT = 8000
PRODUCTION_GATEWAY = "https://gw.open.1688.com"
CREDENTIAL_NAMES = ("APP_KEY", "APP_SECRET", "ACCESS_TOKEN")


class Complaint(Exception):
    """The demo cannot go on; the text says why and what to do, for the terminal."""


class GatewayAccess(msgspec.Struct, frozen=True, kw_only=True):
    """Where the 1688 gateway is and what signs its calls; `message_url` only where messages are to be listened to."""

    url: str
    app_key: str
    app_secret: str
    access_token: str
    refresh_token: str = ""
    message_url: str = ""


@dataclass(frozen=True)
class Options:
    """`database_url`, `redis_url` and `gateway` are None where the demo brings its own."""

    port: int
    oneshot: bool
    database_url: str | None
    redis_url: str | None
    gateway: GatewayAccess | None

    @property
    def base_url(self) -> str:
        """Where the web server answers."""
        return f"http://127.0.0.1:{self.port}"


def read_options(environment: Mapping[str, str]) -> Options:
    """Read PORT, ONESHOT, DATABASE_URL, REDIS_URL and the app's credentials.

    Raises:
        Complaint: a value makes no sense, or half of the credentials are missing.
    """
    return Options(
        port=_port(environment.get("PORT") or str(DEFAULT_PORT)),
        oneshot=environment.get("ONESHOT", "").lower() in {"1", "true", "yes", "on"},
        database_url=environment.get("DATABASE_URL") or None,
        redis_url=environment.get("REDIS_URL") or None,
        gateway=_gateway(environment),
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):
        raise Complaint(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def _gateway(environment: Mapping[str, str]) -> GatewayAccess | None:
    url = environment.get("GATEWAY_URL", "")
    given = {name: environment.get(name, "") for name in CREDENTIAL_NAMES}
    if not url and not any(given.values()):
        return None
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise Complaint(f"A gateway of your own needs {' and '.join(missing)} in the environment too.")
    return GatewayAccess(
        url=url or PRODUCTION_GATEWAY,
        app_key=given["APP_KEY"],
        app_secret=given["APP_SECRET"],
        access_token=given["ACCESS_TOKEN"],
        refresh_token=environment.get("REFRESH_TOKEN", ""),
    )
