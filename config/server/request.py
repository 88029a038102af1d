"""A request as it arrives: what is wrong with its head, and what WSGI is told about it."""

import asyncio
import io
import sys
from math import inf
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import httptools
from django.conf import settings
from uvicorn.protocols.utils import get_local_addr, get_remote_addr
from websockets.http11 import MAX_LINE_LENGTH

from config.server.files import FileWrapper
from system.arrival import ARRIVED
from system.errors import ErrorCode

Environ = dict[str, Any]
Headers = list[tuple[bytes, bytes]]

MAX_URL_BYTES = 8 * 1024
MAX_HEADERS = 100
MAX_HEADER_BYTES = 32 * 1024
# No number of bytes has more digits.
MAX_LENGTH_DIGITS = 20
# What stands around the address of a request line, and between a header's name and value.
REQUEST_LINE_REST = len("GET  HTTP/1.1\r\n")
HEADER_REST = len(": \r\n")
# Names of headers that are remembered with their form in WSGI; clients can make up any number of them.
REMEMBERED_NAMES = 500
REMEMBERED_NAME_BYTES = 50

_line_safe = "".join(map(chr, range(0x7F)))
_names: dict[bytes, str] = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}


class Request:
    """One request of a connection, filled by the parser.

    `arrived` is when it was whole, by `monotonic`. `length` is the announced length of the body, None for one in
    chunks. `upgrades` says that a WebSocket is wanted.
    """

    __slots__ = (
        "arrived", "body", "expects_continue", "headers", "keep_alive", "length", "method", "target", "upgrades",
        "url", "version",
    )  # fmt: skip

    def __init__(self) -> None:
        self.arrived = inf
        self.method = ""
        self.url = b""
        self.target = b"", b""
        self.version = "1.1"
        self.headers: Headers = []
        self.body: bytes | bytearray = b""
        self.length: int | None = 0
        self.keep_alive = False
        self.expects_continue = False
        self.upgrades = False

    def add(self, data: bytes) -> None:
        """Take a piece of the body."""
        if not self.body:
            self.body = data
        elif isinstance(self.body, bytearray):
            self.body += data
        else:
            self.body = bytearray(self.body) + data

    @property
    def path(self) -> str:
        """The path as refusals and logs name it."""
        return unquote_to_bytes(self.target[0]).decode(errors="replace")

    def lower_headers(self) -> Headers:
        """The headers with names in lower case."""
        return [(name.lower(), value) for name, value in self.headers]

    def judge(self, *, upgrading: bool) -> ErrorCode | None:
        """Look the complete head over; what is wrong with it, or None.

        Addresses over 8 KB, more than 100 headers or 32 KB of them, none or two Host headers in HTTP/1.1 (RFC 9112,
        section 3.2), and bodies that are announced larger than we take.

        Args:
            upgrading: another protocol is wanted on the connection.

        Raises:
            httptools.HttpParserInvalidURLError: the address is none.
        """
        self.target = _split(self.url)
        size = hosts = 0
        chunked = False
        for name, value in self.headers:
            size += len(name) + len(value)
            name = name.lower()
            if name == b"host":
                hosts += 1
            elif name == b"content-length":
                self.length = _length(value)
            elif name == b"transfer-encoding":
                chunked = True
            elif name == b"upgrade" and upgrading:
                self.upgrades = value.lower() == b"websocket" and self.method == "GET"
            elif name == b"expect":
                self.expects_continue = value.lower() == b"100-continue"
        if chunked:
            self.length = None
        return self._fault(size, hosts) or (self._fault_of_handshake() if self.upgrades else None)

    def _fault_of_handshake(self) -> ErrorCode | None:
        """Beyond these limits the library of the WebSocket process would just say nothing."""
        if len(self.url) + REQUEST_LINE_REST > MAX_LINE_LENGTH:
            return ErrorCode.URI_TOO_LONG
        longest = max((len(name) + len(value) + HEADER_REST for name, value in self.headers), default=0)
        return ErrorCode.HEADERS_TOO_LARGE if longest > MAX_LINE_LENGTH else None

    def head(self) -> bytes:
        """The head as it may be read again, with names in lower case."""
        headers = b"".join([b"%b: %b\r\n" % header for header in self.lower_headers()])
        return b"%b %b HTTP/%b\r\n%b\r\n" % (self.method.encode(), self.url, self.version.encode(), headers)

    def _fault(self, size: int, hosts: int) -> ErrorCode | None:
        if len(self.url) > MAX_URL_BYTES:
            return ErrorCode.URI_TOO_LONG
        if size > MAX_HEADER_BYTES or len(self.headers) > MAX_HEADERS:
            return ErrorCode.HEADERS_TOO_LARGE
        if (hosts != 1 and self.version == "1.1") or (self.length is not None and self.length < 0):
            return ErrorCode.INVALID_PARAMETER
        too_long = self.length is not None and self.length > settings.API_MAX_BATCH_BODY_BYTES
        return ErrorCode.PAYLOAD_TOO_LARGE if too_long else None

    def environ(self, base: Environ) -> Environ:
        """What WSGI is told (PEP 3333). Headers with `_` are left out: they cannot be told from those with `-`.

        Args:
            base: what holds for all requests of the connection.
        """
        path, query = self.target
        environ = {
            **base,
            "REQUEST_METHOD": self.method,
            "PATH_INFO": (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1"),
            "QUERY_STRING": query.decode("latin-1"),
            "SERVER_PROTOCOL": f"HTTP/{self.version}",
            "wsgi.input": io.BytesIO(self.body),
            ARRIVED: self.arrived,
        }
        for name, value in self.headers:
            key = _names.get(name) or _wsgi_name(name)
            if key in environ:
                environ[key] += "," + value.decode("latin-1")
            elif key:
                environ[key] = value.decode("latin-1")
        if self.length is None:
            environ.pop("HTTP_TRANSFER_ENCODING", None)
            environ["CONTENT_LENGTH"] = str(len(self.body))
        return environ


def connection_environ(transport: asyncio.Transport) -> Environ:
    """What WSGI is told about every request of a connection."""
    host, port = get_local_addr(transport) or ("localhost", 80)
    environ: Environ = {
        "SCRIPT_NAME": "",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 0),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
    }
    peer = get_remote_addr(transport)
    if peer:
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = peer[0], str(peer[1])
    return environ


def ascii_line(data: bytes) -> bytes:
    """What begins a request, its first line in ASCII: command line clients send Chinese words as they are."""
    line, newline, rest = data.partition(b"\n")
    return data if line.isascii() else quote(line, safe=_line_safe).encode() + newline + rest


def _length(value: bytes) -> int:
    """A Content-Length; -1 when it is malformed."""
    return int(value) if value.isdigit() and len(value) <= MAX_LENGTH_DIGITS else -1


def _split(url: bytes) -> tuple[bytes, bytes]:
    """Path and query of a request's target.

    Raises:
        httptools.HttpParserInvalidURLError: it has neither.
    """
    if url.startswith(b"/") and b"#" not in url:
        path, _, query = url.partition(b"?")
        return path, query
    parsed = httptools.parse_url(url)
    return parsed.path or b"/", parsed.query or b""


def _wsgi_name(name: bytes) -> str:
    """The key of a header, "" for one that is left out."""
    lower = name.lower()
    key = _names.get(lower) or ("" if b"_" in name else "HTTP_" + lower.decode("latin-1").upper().replace("-", "_"))
    if len(_names) < REMEMBERED_NAMES and len(name) <= REMEMBERED_NAME_BYTES:
        _names[bytes(name)] = key
    return key
