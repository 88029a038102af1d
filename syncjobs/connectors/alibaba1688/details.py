"""Offers of others by their ids: the cross-border detail, or the listing relation and the detail behind it."""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from syncjobs.connectors.alibaba1688.answers import Answer, DetailAnswer, ProductAnswer, PushAnswer
from syncjobs.connectors.alibaba1688.apis import (
    CROSS_PRODUCT,
    CROSS_PRODUCTS,
    OFFER_DETAIL,
    PUSH_PRODUCTS,
    Api,
)
from syncjobs.connectors.alibaba1688.client import GatewayClient
from syncjobs.connectors.alibaba1688.failures import NOT_GRANTED, BusinessError
from syncjobs.connectors.alibaba1688.listing import NULL, Lookup, id_list, page_of, refused
from syncjobs.engine.contracts import Page
from syncjobs.engine.errors import FatalSourceError

# "any": the first that is granted, found out while they are asked for.
Way = Literal["detail", "relation", "any"]
# What each way needs; the first that is granted is taken. `alibaba.cross.productList` only saves calls.
WAYS: dict[Way, tuple[Api, ...]] = {"detail": (OFFER_DETAIL,), "relation": (PUSH_PRODUCTS, CROSS_PRODUCT)}


class Offers(msgspec.Struct, frozen=True, kw_only=True, tag="offers", tag_field="walk"):
    """Some offers by their ids, asked for in one way."""

    ids: tuple[str, ...]
    way: Way


class OfferDetails:
    """Details of offers that need not belong to the account."""

    def __init__(self, client: GatewayClient, country: str) -> None:
        self._client, self._country = client, country
        self._related = RelatedLookup(client)

    def granted_way(self) -> Way | None:
        """The first way that the app may go, found out by calls without arguments; None without any."""
        return next((way for way, apis in WAYS.items() if all(map(self._may_call, apis))), None)

    def pages(self, ids: Sequence[str], way: Way) -> Iterator[Page]:
        """One page for each call made."""
        if way == "any":
            return self._either(ids)
        return map(self._detail, ids) if way == "detail" else self._related.pages(ids)

    def _either(self, ids: Sequence[str]) -> Iterator[Page]:
        for number, offer in enumerate(ids):
            try:
                yield self._detail(offer)
            except FatalSourceError as error:
                if error.code not in NOT_GRANTED:
                    raise
                yield from self._related.pages(ids[number:])
                return

    def _may_call(self, api: Api) -> bool:
        """Permission is looked at before arguments are, so a missing argument is a good sign."""
        try:
            self._client.call(api, {}, Answer)
        except BusinessError:
            return True
        except FatalSourceError as error:
            if error.code in NOT_GRANTED:
                return False
            if error.code != "param_missing":
                raise
        return True

    def _detail(self, offer_id: str) -> Page:
        wanted = {"offerId": int(offer_id), "country": self._country}
        try:
            result = self._client.call(OFFER_DETAIL, {"offerDetailParam": wanted}, DetailAnswer).result
        except BusinessError as error:
            return refused(offer_id, error)
        if result and (refusal := result.refusal()):
            return refused(offer_id, BusinessError(*refusal))
        return _page(offer_id, bytes(result.product) if result else b"")


class RelatedLookup(Lookup):
    """Offers whose details open when they are pushed into the buyer's listing."""

    several = CROSS_PRODUCTS

    def _opened(self, ids: Sequence[str]) -> Iterator[Page]:
        try:
            answer = self._client.call(PUSH_PRODUCTS, id_list(ids), PushAnswer)
        except BusinessError as error:
            raise error.as_engine_error(PUSH_PRODUCTS) from None
        if answer.result and (refusal := answer.result.refusal()):
            raise BusinessError(*refusal).as_engine_error(PUSH_PRODUCTS)
        yield Page()

    def _one(self, product_id: str) -> Page:
        try:
            answer = self._client.call(CROSS_PRODUCT, {"productId": product_id}, ProductAnswer)
        except BusinessError as error:
            return refused(product_id, error)
        return _page(product_id, bytes(answer.product))


def _page(offer_id: str, product: bytes) -> Page:
    if product in (b"", NULL):
        return refused(offer_id, BusinessError("", "no product in the answer"))
    return page_of([product])
