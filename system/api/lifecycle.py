"""The end of versions and routes, told on every answer: Deprecation (RFC 9745), Sunset (RFC 8594), successor links.

All of it comes from the setting API_DEPRECATIONS. The promise (seed 001, section 7.1.3): at most three versions at a
time, each served for six months at least, and three months between the notice and the end.
"""

from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.http import HttpResponseBase

MAX_VERSIONS = 3
NOTICE_DAYS = 90
SERVED_DAYS = 180
DOCUMENTATION = "/api/docs"


@lru_cache(maxsize=512)
def lifecycle_headers(version: str, method: str, route: str) -> dict[str, str]:
    """The headers of a route that is to go, or whose version is; none for any other.

    Args:
        route: its pattern below the version, such as "products/<pk>".
    """
    declared = settings.API_DEPRECATIONS
    found = declared.get(f"{version} {method} {route}") or declared.get(version)
    if not found:
        return {}
    since = datetime.combine(date.fromisoformat(found["since"]), time(tzinfo=UTC))
    until = datetime.combine(date.fromisoformat(found["until"]), time(tzinfo=UTC))
    links = [f'<{DOCUMENTATION}>; rel="deprecation"; type="text/html"']
    if found.get("successor"):
        links.append(f'<{found["successor"]}>; rel="successor-version"')
    return {
        "Deprecation": f"@{int(since.timestamp())}",
        "Sunset": format_datetime(until, usegmt=True),
        "Link": ", ".join(links),
    }


def announce_end(response: HttpResponseBase, version: str, method: str, route: str) -> None:
    """Put the headers of `lifecycle_headers` onto an answer; its own links stay."""
    for name, value in lifecycle_headers(version, method, route).items():
        known = response.headers.get(name)
        response.headers[name] = f"{known}, {value}" if known and name == "Link" else value


@register
def check_promise(**_: Any) -> list[CheckMessage]:
    """system.E010 to E012: the settings break what docs/api-versions.md promises."""
    found: list[CheckMessage] = []
    if len(settings.API_VERSIONS) > MAX_VERSIONS:
        found.append(Error(f"More than {MAX_VERSIONS} API versions.", hint="End the oldest one.", id="system.E010"))
    for name, declared in settings.API_DEPRECATIONS.items():
        since, until = date.fromisoformat(declared["since"]), date.fromisoformat(declared["until"])
        released = date.fromisoformat(settings.API_RELEASES[name.split()[0]])
        if (until - since).days < NOTICE_DAYS:
            found.append(_too_soon(name, f"less than {NOTICE_DAYS} days after the notice", "system.E011"))
        if (until - released).days < SERVED_DAYS:
            found.append(_too_soon(name, f"less than {SERVED_DAYS} days after its release", "system.E012"))
    return found


def _too_soon(name: str, reason: str, number: str) -> CheckMessage:
    return Error(f"{name} would end {reason}.", hint="Move `until` in API_DEPRECATIONS.", id=number)
