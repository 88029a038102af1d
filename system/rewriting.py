"""Saved calls of version 1 rewritten for version 2: addresses, names in queries and bodies, the key beside the token.

Understands shell scripts and documents with curl calls, `.http` files, HAR recordings and Postman collections. What an
answer looks like to its reader (`.data.items` is `.data` in version 2) it cannot see; docs/api-versions.md tells.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from system.naming import CAMEL, NAMING_PARAMETERS

OLD, NEW = "/api/v1/", "/api/v2/"
KEY_HEADER = "X-API-Key"
KEYLESS = re.compile(r"/api/v[12]/(auth/(login|refresh|logout|api-keys)|health|system/health|schema)")

_ADDRESS = re.compile(r"[^\s\"'`<>()]*/api/v1/[^\s\"'`<>()\\]*")
# A curl command to its end: quoted texts and escaped line ends belong to it.
_CURL = re.compile(r"""curl\b(?:[^'"\n\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")*""", re.DOTALL)
_BODY = re.compile(r"(?P<flag>(?:--data(?:-raw|-binary)?|--json|-d)(?:\s+|=))'(?P<text>\s*[{\[][^']*)'")
_TOKEN = re.compile(r"""(?P<flag>-H|--header)\s+(?P<quote>["'])Authorization: Bearer [^"']*(?P=quote)""")
_REQUEST_LINE = re.compile(r"^(?:GET|POST|PUT|PATCH|DELETE) \S*/api/v1/", re.MULTILINE)
_REQUEST_END = re.compile(r"(?m)^(?=###)")
_TOKEN_LINE = re.compile(r"^Authorization: Bearer .*$", re.MULTILINE | re.IGNORECASE)
_BLOCK = re.compile(r"\n\n(?P<text>[{\[].*[}\]])", re.DOTALL)


def rewrite_address(address: str) -> str:
    """An absolute or relative address of version 1 as one of version 2."""
    parts = urlsplit(address)
    query = [
        (CAMEL.outgoing(name), CAMEL.outgoing(value) if name in NAMING_PARAMETERS else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    kept = parts.query if "$" in parts.query or "{" in parts.query else urlencode(query, safe=",:")
    return urlunsplit(parts._replace(path=parts.path.replace(OLD, NEW, 1), query=kept))


def rewrite_body(text: str) -> str:
    """A JSON body with version 2's names; anything else as it is."""
    try:
        document = json.loads(text)
    except ValueError:
        return text
    indent = 2 if "\n" in text.strip() else None
    return json.dumps(CAMEL.rename(document), ensure_ascii=False, indent=indent)


def rewrite(text: str) -> str:
    """A whole file: JSON recordings by their structure, everything else as text."""
    try:
        document = json.loads(text)
    except ValueError:
        return _rewrite_text(text)
    return json.dumps(_rewrite_recording(document), ensure_ascii=False, indent=2) + "\n"


def _rewrite_text(text: str) -> str:
    requests = "".join(map(_rewrite_http, _REQUEST_END.split(text)))
    calls = _CURL.sub(lambda found: _rewrite_curl(found[0]), requests)
    return _ADDRESS.sub(lambda found: rewrite_address(found[0]), calls)


def _rewrite_curl(command: str) -> str:
    if OLD not in command:
        return command
    named = _BODY.sub(lambda found: f"{found['flag']}'{rewrite_body(found['text'])}'", command)
    if KEYLESS.search(command):
        return named
    return _TOKEN.sub(lambda found: f'{found[0]} {found["flag"]} "{KEY_HEADER}: $API_KEY"', named)


def _rewrite_http(request: str) -> str:
    """One request of an `.http` file; anything else stays."""
    if not _REQUEST_LINE.search(request):
        return request
    named = _BLOCK.sub(lambda found: f"\n\n{rewrite_body(found['text'])}", request)
    if KEYLESS.search(request):
        return named
    return _TOKEN_LINE.sub(lambda found: f"{found[0]}\n{KEY_HEADER}: {{{{api_key}}}}", named)


def _rewrite_recording(part: Any) -> Any:
    if isinstance(part, list):
        return [_rewrite_recording(item) for item in part]
    if isinstance(part, str):
        return rewrite_address(part) if OLD in part and " " not in part else part
    if not isinstance(part, dict):
        return part
    rewritten = {name: _rewrite_recording(value) for name, value in part.items()}
    return _rewrite_request(rewritten) if _is_request(part) else rewritten


def _is_request(part: dict[str, Any]) -> bool:
    """HAR and Postman both describe a request as an object with `method` and `url`."""
    return "method" in part and OLD in json.dumps(part.get("url", ""))


def _rewrite_request(request: dict[str, Any]) -> dict[str, Any]:
    for body, name in ((request.get("postData"), "text"), (request.get("body"), "raw")):
        if isinstance(body, dict) and isinstance(body.get(name), str):
            body[name] = rewrite_body(body[name])
    for query in (request.get("queryString"), _query_of(request.get("url"))):
        for entry in query or ():
            _rewrite_parameter(entry)
    headers = request.get("header", request.get("headers"))
    if isinstance(headers, list) and not KEYLESS.search(json.dumps(request["url"])):
        label = "key" if "header" in request else "name"
        headers.append({label: KEY_HEADER, "value": "{{api_key}}"})
    return request


def _query_of(url: Any) -> Any:
    """Postman keeps an address in parts, too."""
    if not isinstance(url, dict):
        return None
    url["path"] = ["v2" if step == "v1" else step for step in url.get("path", [])]
    return url.get("query")


def _rewrite_parameter(entry: dict[str, Any]) -> None:
    label = "key" if "key" in entry else "name"
    if entry[label] in NAMING_PARAMETERS:
        entry["value"] = CAMEL.outgoing(entry["value"])
    entry[label] = CAMEL.outgoing(entry[label])
