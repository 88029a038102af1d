"""Small pieces of HTML. Everything that comes from a source passes through here as an argument, never as markup."""

import json
from typing import Any, Literal
from urllib.parse import urlsplit

from django.utils.html import format_html
from django.utils.safestring import SafeString

Tone = Literal["neutral", "info", "success", "warning", "danger"]
TEXT_CAP = 64 * 1024
THUMBNAIL_PIXELS = 48


def web_address(url: object) -> str:
    """The address if it is an absolute http(s) one, else "": javascript:, data: and the like must never be linked."""
    if not isinstance(url, str):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url.strip() if parts.scheme in ("http", "https") and parts.netloc else ""


def image(url: object, *, pixels: int = THUMBNAIL_PIXELS) -> SafeString:
    """A picture from elsewhere. The picture hosts refuse foreign Referers, so none is sent."""
    address = web_address(url)
    if not address:
        return format_html('<span class="bo-image bo-image-none material-symbols-outlined">{}</span>', "image")
    return format_html(
        '<img class="bo-image" src="{0}" width="{1}" height="{1}" alt="" loading="lazy" decoding="async"'
        ' referrerpolicy="no-referrer">',
        address,
        pixels,
    )


def link(url: object, text: object) -> SafeString:
    """A link out of the back office; plain text when the address is not a web address."""
    address = web_address(url)
    if not address:
        return format_html("{}", text)
    return format_html(
        '<a class="bo-link" href="{}" target="_blank" rel="noopener noreferrer" referrerpolicy="no-referrer">{}</a>',
        address,
        text,
    )


def page_link(address: str, text: object) -> SafeString:
    """A link inside the back office; `address` comes from `reverse`."""
    return format_html('<a class="bo-link" href="{}">{}</a>', address, text)


def badge(text: object, tone: Tone = "neutral") -> SafeString:
    """A coloured word."""
    return format_html('<span class="bo-badge bo-{}">{}</span>', tone, text)


def bar(percent: float | None) -> SafeString:
    """A progress bar with its number; without a number it says that the total is unknown."""
    if percent is None:
        return format_html('<span class="bo-bar"><progress max="100"></progress> <b>{}</b></span>', "…")
    return format_html(
        '<span class="bo-bar"><progress max="100" value="{}"></progress> <b>{}%</b></span>', percent, f"{percent:g}"
    )


def preformatted(text: str) -> SafeString:
    """Text as it is, at most `TEXT_CAP` characters of it."""
    return format_html('<pre class="bo-pre">{}</pre>', text[:TEXT_CAP])


def json_block(value: Any) -> SafeString:
    """A JSON value, indented, Chinese left readable."""
    return preformatted(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def payload_block(payload: bytes) -> SafeString:
    """Raw bytes of a source: indented when they are JSON, else as text; cut at `TEXT_CAP` bytes."""
    text = payload[:TEXT_CAP].decode("utf-8", "replace")
    try:
        return json_block(json.loads(text))
    except (ValueError, RecursionError):
        return preformatted(text)
