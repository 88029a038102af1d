"""The `options` document of a 1688 source: which walk it is, and over what. docs/1688.md explains every key."""

from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from syncjobs.connectors.addresses import vet_url
from syncjobs.connectors.coerce import money
from syncjobs.connectors.sockets import check_socket_url
from syncjobs.engine.errors import FatalSourceError

Walk = Literal["seller", "search", "pool"]
# The platform refuses its own language as the country of a buyer.
Country = Annotated[str, Meta(pattern=r"^(?!zh$)[a-z]{2}$")]
Number = Annotated[int, Meta(ge=1, le=2**53)]
Word = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]
Tag = Annotated[str, Meta(pattern=r"^\w{1,50}$")]
Amount = int | float | str


class SearchOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a search looks for: every keyword in every category (none: in all of them), between two prices in yuan."""

    keywords: Annotated[list[Word], Meta(min_length=1, max_length=100)]
    category_ids: Annotated[list[Number], Meta(max_length=500)] = []
    price_from: Amount | None = None
    price_to: Amount | None = None
    country: Country = "en"
    filter: Annotated[list[Tag], Meta(max_length=20)] = []
    max_offers: Annotated[int, Meta(ge=1, le=1_000_000)] = 100_000

    def fen(self) -> tuple[int | None, int | None]:
        """The two prices in fen.

        Raises:
            ValueError: one of them is no amount, or they are the wrong way round.
        """
        low, high = (None if price is None else money(price) for price in (self.price_from, self.price_to))
        if low is not None and high is not None and low > high:
            raise ValueError("price_from is above price_to")
        return _fen(low), _fen(high)


class PoolOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which offer pool is read, or which category of it."""

    offer_pool_id: Number
    category_id: Number | None = None
    country: Country = "en"


class GatewayOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`gateway_url` is scheme and host of another gateway than 1688's own, `message_url` of its message WebSocket.

    `details`: `if_granted` stores a search row's own fields where the app may not ask for details, `required` ends
    the job instead, `never` stores rows without asking.
    """

    gateway_url: str = ""
    message_url: str = ""
    walk: Walk = "seller"
    search: SearchOptions | None = None
    pool: PoolOptions | None = None
    details: Literal["if_granted", "required", "never"] = "if_granted"

    @property
    def country(self) -> str:
        """The country that details are asked for."""
        return (self.search or self.pool or PoolOptions(offer_pool_id=1)).country


def read_options(document: dict[str, Any]) -> GatewayOptions:
    """The options of a Source row.

    Raises:
        FatalSourceError: `invalid_options`, naming the option.
    """
    try:
        options = msgspec.convert(document, GatewayOptions)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error
    _check_walk(options)
    return options


def check_options(document: dict[str, Any], allowed_hosts: frozenset[str]) -> None:
    """Look at the options of a Source row.

    Raises:
        FatalSourceError: `invalid_options`, naming the option; `url_refused` or `address_refused`.
    """
    options = read_options(document)
    if options.gateway_url:
        vet_url(options.gateway_url, allowed_hosts)
    if options.message_url:
        check_socket_url(options.message_url, allowed_hosts)


def _check_walk(options: GatewayOptions) -> None:
    for name, given in (("search", options.search), ("pool", options.pool)):
        if options.walk == name and given is None:
            raise _invalid(f"walk is {name}, but the options have no object `{name}`")
        if options.walk != name and given is not None:
            raise _invalid(f"`{name}` is given, but walk is {options.walk}")
    try:
        if options.search:
            options.search.fen()
    except ValueError as error:
        raise _invalid(f"{error} - at `$.search`") from None
    if options.walk == "pool" and options.details == "never":
        raise _invalid("a pool tells ids only, so details cannot be `never`")


def _fen(amount: Decimal | None) -> int | None:
    return None if amount is None else int(amount * 100)


def _invalid(reason: str) -> FatalSourceError:
    return FatalSourceError(
        reason, code="invalid_options", suggestion="correct the options of the source; docs/1688.md lists the keys"
    )
