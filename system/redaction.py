"""Secrets taken out of texts and values before anybody but the code sees them: logs, errors, payloads of tasks."""

import re
from typing import Any

HIDDEN = "***"
CONFIDENTIAL = (
    r"(?:authorization|x-api-key|api[_-]?key|app[_-]?secret|[a-z_-]*password|passwd|[a-z_-]*token|[a-z_-]*secret|"
    r"set-cookie|cookie|sessionid|csrfmiddlewaretoken|ticket|signature|_aop_signature|credentials)"
)
CONFIDENTIAL_NAME = re.compile(CONFIDENTIAL, re.IGNORECASE)
# name=value, "name": "value", name: Bearer value; a value ends at a separator of its surroundings.
CONFIDENTIAL_PAIR = re.compile(
    rf"""(?P<name>\b{CONFIDENTIAL}\\?["']?\s*(?:=|:|=>|%3D)\s*)(?P<scheme>(?:Bearer|Basic)\s+)?"""
    r"""(?P<value>b?\\?"[^"\\]*\\?"|b?'[^']*'|[^\s"'&,;}\])]+)""",
    re.IGNORECASE,
)
# Most lines hold none of what the expressions here begin with or need.
SUSPICIOUS = re.compile(r"[=:]|bearer|basic|eyj|%3d|s1688_", re.IGNORECASE)
BEARER = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
JSON_WEB_TOKEN = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
# Our own API keys (accounts), wherever they stand.
API_KEY = re.compile(r"\bs1688_[A-Za-z0-9]{4,}_[A-Za-z0-9_-]{8,}")
URL_PASSWORD = re.compile(r"(?<=://)([^\s:/@]*):[^\s@/]+@")


def redact(text: str) -> str:
    """The text with the values of secrets replaced: credentials by name, tokens and keys by form, passwords in URLs."""
    if not SUSPICIOUS.search(text):
        return text
    text = CONFIDENTIAL_PAIR.sub(rf"\g<name>{HIDDEN}", text)
    text = BEARER.sub(rf"\1 {HIDDEN}", text)
    text = API_KEY.sub(HIDDEN, JSON_WEB_TOKEN.sub(HIDDEN, text))
    return URL_PASSWORD.sub(rf"\1:{HIDDEN}@", text)


def redact_value(value: Any) -> Any:
    """The same for a nested value; in a dict the names decide too."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {
            name: HIDDEN if isinstance(name, str) and CONFIDENTIAL_NAME.fullmatch(name) and item else redact_value(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact_value(item) for item in value]
    return value
