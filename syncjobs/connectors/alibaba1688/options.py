"""The `options` document of a 1688 source."""

from typing import Any

import msgspec

from syncjobs.connectors.addresses import vet_url
from syncjobs.connectors.sockets import check_socket_url
from syncjobs.engine.errors import FatalSourceError


class GatewayOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`gateway_url` is scheme and host of another gateway than 1688's own, `message_url` of its message WebSocket."""

    gateway_url: str = ""
    message_url: str = ""


def check_options(document: dict[str, Any], allowed_hosts: frozenset[str]) -> None:
    """Look at the options of a Source row.

    Raises:
        FatalSourceError: `invalid_options`, naming the option; `url_refused` or `address_refused`.
    """
    try:
        options = msgspec.convert(document, GatewayOptions)
    except msgspec.ValidationError as error:
        raise FatalSourceError(
            str(error), code="invalid_options", suggestion="correct the options of the source"
        ) from error
    if options.gateway_url:
        vet_url(options.gateway_url, allowed_hosts)
    if options.message_url:
        check_socket_url(options.message_url, allowed_hosts)
