"""Addresses that users name and we call: judged when they are stored, and again whenever they are called."""

from pathlib import Path

from django.conf import settings

from syncjobs.connectors.addresses import normalized, vet_url
from syncjobs.connectors.http import HttpClient
from syncjobs.connectors.registry import check_options
from syncjobs.engine.errors import FatalSourceError
from system.actor import current_actor
from system.errors import ApplicationError, ErrorCode

CONNECT_SECONDS, READ_SECONDS, TOTAL_SECONDS = 5.0, 10.0, 15.0
MAX_BYTES = 1024 * 1024
ADDRESS_CODES = frozenset({"url_refused", "address_refused"})


def allowed_hosts() -> frozenset[str]:
    """Hosts of ours that may be private, use plain http or another port."""
    return frozenset(map(normalized, settings.OUTBOUND_ALLOWED_HOSTS))


def check_address(url: str, field: str) -> None:
    """Refuse an address that must not be called.

    Raises:
        ApplicationError: 400 E02030, details name the field and the reason.
    """
    try:
        vet_url(url, allowed_hosts())
    except FatalSourceError as refusal:
        raise ApplicationError(ErrorCode.URL_REFUSED, details={field: [refusal.message]}) from refusal


def check_source_options(kind: str, options: dict[str, object]) -> None:
    """Let the connector look at a source's options before they are stored.

    Who has a shell may read any file of the workers anyway; everybody else names files below FEED_FOLDERS.

    Raises:
        ApplicationError: 400 E02030 for an address, 422 E02032 for anything else it could not work with, 422 E02037
            for a file that is not below one of the folders.
    """
    if current_actor().via != "command":
        _check_folder(options.get("path"))
    try:
        check_options(kind, options, allowed_hosts())
    except FatalSourceError as refusal:
        is_address = refusal.code in ADDRESS_CODES
        code = ErrorCode.URL_REFUSED if is_address else ErrorCode.SYNC_SOURCE_OPTIONS
        raise ApplicationError(code, details={"options": [refusal.message]}) from refusal


def _check_folder(path: object) -> None:
    if not isinstance(path, str) or "\0" in path:
        return
    place = Path(path).resolve()
    if not any(place.is_relative_to(Path(folder).resolve()) for folder in settings.FEED_FOLDERS):
        raise ApplicationError(ErrorCode.FEED_FOLDER, details={"options": [path]})


def outbound_client() -> HttpClient:
    """A client for addresses that users named: short time-outs, small answers; the caller closes it."""
    return HttpClient(
        settings.OUTBOUND_ALLOWED_HOSTS,
        connect=CONNECT_SECONDS,
        read=READ_SECONDS,
        total=TOTAL_SECONDS,
        max_bytes=MAX_BYTES,
    )
