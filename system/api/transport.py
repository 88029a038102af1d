"""What must hold for a request before anybody reads its body."""

import re
from functools import cache

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from system.errors import ApplicationError, ErrorCode

SEMVER = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
)
CLIENT_VERSION_MAX_LENGTH = 64


def check_transport(request: HttpRequest) -> None:
    """Refuse bodies we would misread: compressed ones, and chunked ones, which arrive here as empty.

    Raises:
        ApplicationError: 415 or 411.
    """
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "")
    if encoding and encoding.strip().lower() != "identity":
        raise ApplicationError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, details={"content_encoding": encoding[:64]})
    if request.META.get("HTTP_TRANSFER_ENCODING") and not request.META.get("CONTENT_LENGTH"):
        raise ApplicationError(ErrorCode.LENGTH_REQUIRED)


def client_version(request: HttpRequest) -> str | None:
    """X-Client-Version if it was sent and is a semantic version (semver.org); None otherwise."""
    sent = request.META.get("HTTP_X_CLIENT_VERSION")
    return sent if sent and len(sent) <= CLIENT_VERSION_MAX_LENGTH and SEMVER.fullmatch(sent) else None


def check_client_version(request: HttpRequest) -> None:
    """Refuse an X-Client-Version that is not a semantic version.

    Raises:
        ApplicationError: 400.
    """
    if request.META.get("HTTP_X_CLIENT_VERSION") is not None and client_version(request) is None:
        message = _("Must be a semantic version such as 1.4.2.")
        raise ApplicationError(ErrorCode.INVALID_PARAMETER, details={"X-Client-Version": [message]})


def route_of(request: HttpRequest) -> str:
    """The pattern of the address below its version, such as "products/<pk>"; "" where none matched."""
    match = request.resolver_match
    return _below_version(match.route) if match and match.route else ""


@cache
def _below_version(route: str) -> str:
    return route.partition(">/")[2].rstrip("/")
