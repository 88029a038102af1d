"""Offer ids as people paste them."""

import re
from urllib.parse import parse_qs, urlsplit

_ID = re.compile(r"[0-9]{6,30}")
_SKU_PREFIX = "1688-"
_PATH = re.compile(r"/offer/([0-9]{6,30})(?:\.html?)?/?")
_OTHER_SHOPS = ("taobao.com", "tmall.com", "tmall.hk")
_FORMS = "expected an offer id of 6 to 30 digits, 1688-<id>, or a link such as https://detail.1688.com/offer/<id>.html"


def normalize_offer_id(text: str) -> str:
    """The bare offer id in an id, an SKU or a pasted link of 1688.com, in all the forms of the 1688 open platform.

    Raises:
        ValueError: with a text for the person who pasted it.
    """
    plain = "".join(text.split())
    bare = plain[len(_SKU_PREFIX) :] if plain.startswith(_SKU_PREFIX) else plain
    if _ID.fullmatch(bare):
        return bare
    if "/" not in plain and "." not in plain:
        raise ValueError(f"not an offer id: {_FORMS}")
    return _from_link(plain)


def _from_link(link: str) -> str:
    try:
        parts = urlsplit(link if "//" in link else f"//{link}")
        host = (parts.hostname or "").lower()
    except ValueError:
        raise ValueError(f"not a link: {_FORMS}") from None
    if _is_under(host, _OTHER_SHOPS):
        raise ValueError("a Taobao or Tmall link: their items are not 1688 offers, find the offer on 1688.com")
    if parts.scheme not in ("", "http", "https") or not _is_under(host, ("1688.com",)):
        raise ValueError(f"not a link to 1688.com: {_FORMS}")
    match = _PATH.fullmatch(parts.path)
    candidates = [match[1]] if match else parse_qs(parts.query).get("offerId", [])
    if len(candidates) == 1 and _ID.fullmatch(candidates[0]):
        return candidates[0]
    raise ValueError(f"the link names no offer: {_FORMS}")


def _is_under(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)
