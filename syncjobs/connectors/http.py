"""The one HTTP client that every connector uses: it trusts neither the address, nor the answer, nor its length.

An address is judged where it is used: the socket connects to the very IP that was checked, so a name that resolves
differently a moment later changes nothing, while the Host header and the TLS name stay those of the URL.
"""

import re
import ssl
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from math import inf
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpcore
import httpx
import msgspec

from syncjobs.connectors.addresses import check_url, normalized, resolve
from syncjobs.engine.errors import FatalSourceError, RetryableSourceError

CONNECT_SECONDS = 5.0
READ_SECONDS = 20.0
TOTAL_SECONDS = 60.0
MAX_BYTES = 16 * 1024 * 1024
# Real listings shrink to a tenth; beyond a hundredth it is a bomb (small answers are let through).
MAX_RATIO = 100
RATIO_FREE_BYTES = 1024 * 1024
STEP_BYTES = 1024 * 1024
RESOLVED_SECONDS = 30.0
LONGEST_RETRY_AFTER = 3600.0

_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class HttpAnswer(msgspec.Struct, frozen=True):
    """One complete answer: `body` is decoded, header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def retry_after(self) -> float | None:
        """Seconds the server asks us to wait, 0 to 3,600; None when it does not say (RFC 9110, 10.2.3)."""
        asked = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"[0-9]{1,18}", asked):
            return min(float(asked), LONGEST_RETRY_AFTER)
        until = http_date(asked)
        return None if until is None else min(max(until - self.answered_at(), 0.0), LONGEST_RETRY_AFTER)

    def answered_at(self) -> float:
        """The server's own clock, in seconds since 1970; ours when it does not say."""
        return http_date(self.headers.get("date", "")) or time.time()


class HttpStream(NamedTuple):
    """An answer without its body, which comes in `chunks`, decoded as `Content-Encoding` says."""

    head: HttpAnswer
    chunks: Iterator[bytes]


class HttpClient:
    """Calls outside addresses; may be shared by threads.

    No redirects, no cookies, no proxies or settings from the environment. `allowed_hosts` holds names or addresses,
    alone or as host:port; only these may be private, use plain http or another port than 443. `total` bounds a whole
    call in seconds, however slowly the bytes come; `max_bytes` bounds the decoded body. From `until` (monotonic) on
    every call fails as timed out.
    """

    def __init__(
        self,
        allowed_hosts: Iterable[str] = (),
        *,
        connect: float = CONNECT_SECONDS,
        read: float = READ_SECONDS,
        total: float = TOTAL_SECONDS,
        max_bytes: int = MAX_BYTES,
        until: float = inf,
    ) -> None:
        self._allowed = frozenset(map(normalized, allowed_hosts))
        self._total, self._max_bytes, self._until = total, max_bytes, until
        self._backend = _GuardedBackend(self._allowed)
        self._client = httpx.Client(
            transport=_Transport(self._backend),
            timeout=httpx.Timeout(read, connect=connect),
            follow_redirects=False,
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            headers={"accept-encoding": "gzip", "user-agent": "1688sync"},
        )

    def post_form(self, url: str, fields: Mapping[str, str]) -> HttpAnswer:
        """POST `fields` url-encoded in UTF-8. Raises as `request`."""
        content_type = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
        return self.request("POST", url, content=urlencode(fields).encode(), headers=content_type)

    def request(
        self, method: str, url: str, *, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        """One call; every status is an answer, also 3xx and 5xx: what they mean is up to the caller.

        Raises:
            FatalSourceError: the URL or its address is refused, or TLS cannot be verified.
            RetryableSourceError: DNS, connection, time-out, a broken or too large answer.
        """
        target = check_url(url, self._allowed)
        self._backend.deadline.at = min(time.monotonic() + self._total, self._until)
        with (
            _translated(target.host),
            self._client.stream(method, target, content=content, headers=headers) as response,
        ):
            return HttpAnswer(response.status_code, dict(response.headers), b"".join(self._chunks(response)))

    @contextmanager
    def stream(self, url: str, headers: Mapping[str, str] | None = None) -> Iterator[HttpStream]:
        """GET what may be too large for the memory. Raises as `request`, also while its chunks are taken."""
        target = check_url(url, self._allowed)
        self._backend.deadline.at = min(time.monotonic() + self._total, self._until)
        with _translated(target.host), self._client.stream("GET", target, headers=headers) as response:
            head = HttpAnswer(response.status_code, dict(response.headers), b"")
            yield HttpStream(head, self._chunks(response))

    def close(self) -> None:
        """Close the pooled connections. May be called twice."""
        self._client.close()

    def _chunks(self, response: httpx.Response) -> Iterator[bytes]:
        chunks = response.iter_raw()
        match response.headers.get("content-encoding", "identity").strip().lower():
            case "identity" | "":
                return counted(chunks, self._max_bytes)
            case "gzip":
                return counted(gunzip(chunks, self._max_bytes), self._max_bytes)
        raise RetryableSourceError("The answer has an encoding nobody asked for.", code="bad_answer")


class _Deadline(threading.local):
    """When the call of this thread must be over (monotonic seconds)."""

    at: float = inf

    def clip(self, timeout: float | None) -> float:
        """The seconds an operation may take: its own time-out, or less when the call's end is nearer."""
        left = min(inf if timeout is None else timeout, self.at - time.monotonic())
        if left <= 0:
            raise httpcore.ReadTimeout("the call as a whole took too long")
        return left


class _GuardedBackend(httpcore.SyncBackend):
    """Connects only to addresses that may be called, and to the very IP that was looked at."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self.deadline = _Deadline()
        self._allowed = allowed
        self._resolved: dict[tuple[str, int], tuple[float, list[str]]] = {}

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, *args: Any, **kwargs: Any) -> Any:
        """Connect to the first address of `host` that answers."""
        *others, last = self._addresses(host, port)
        for address in others:
            try:
                return self._connect(address, port, timeout, *args, **kwargs)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._connect(last, port, timeout, *args, **kwargs)

    def _connect(self, address: str, port: int, timeout: float | None, *args: Any, **kwargs: Any) -> "_BoundedStream":
        stream = super().connect_tcp(address, port, self.deadline.clip(timeout), *args, **kwargs)
        return _BoundedStream(stream, self.deadline)

    def _addresses(self, host: str, port: int) -> list[str]:
        until, addresses = self._resolved.get((host, port), (-inf, []))
        if time.monotonic() >= until:
            addresses = resolve(host, port, self._allowed)
            self._resolved[host, port] = (time.monotonic() + RESOLVED_SECONDS, addresses)
        return addresses


class _BoundedStream(httpcore.NetworkStream):
    """A connection on which no operation outlives the call it serves."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.clip(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.clip(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> "_BoundedStream":
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.clip(timeout))
        return _BoundedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Transport(httpx.BaseTransport):
    """What httpx's own transport does, over a pool with our backend, which httpx has no argument for."""

    def __init__(self, backend: _GuardedBackend) -> None:
        self._pool = httpcore.ConnectionPool(
            tls_context(), max_connections=32, keepalive_expiry=30.0, network_backend=backend
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(
            scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=request.url.raw_path
        )
        answer = self._pool.handle_request(
            httpcore.Request(
                request.method, url, headers=request.headers.raw, content=request.stream, extensions=request.extensions
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


@cache
def tls_context() -> ssl.SSLContext:
    """Reading the certificates takes tens of milliseconds, so all clients share one context."""
    return httpx.create_ssl_context(trust_env=False)


@contextmanager
def _translated(host: str) -> Iterator[None]:
    """Network trouble as engine errors; their texts name the host, never a path, query or body."""
    try:
        yield
    except httpcore.TimeoutException:
        raise RetryableSourceError(f"{host} did not answer in time.", code="timeout") from None
    except httpcore.NetworkError as error:
        if isinstance(error.__cause__ or error.__context__, ssl.SSLCertVerificationError):
            raise FatalSourceError(
                f"The certificate of {host} cannot be verified.",
                code="tls_failed",
                suggestion="Check the host name of the address and the certificate it presents.",
            ) from None
        raise RetryableSourceError(f"The connection to {host} failed.", code="connection_failed") from None
    except httpcore.ProtocolError:
        raise RetryableSourceError(f"{host} broke off its answer.", code="connection_failed") from None


def counted(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """The chunks, up to `limit` bytes in all.

    Raises:
        RetryableSourceError: `body_too_large`.
    """
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > limit:
            raise _too_large(limit)
        yield chunk


def gunzip(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """Inflate one or more gzip members in steps, so that a bomb is noticed before it fills the memory.

    Raises:
        RetryableSourceError: `body_too_large`, blown up; `bad_answer`, not gzip, or cut off.
    """
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    read = written = 0
    for chunk in chunks:
        read += len(chunk)
        rest = chunk
        while rest:
            if inflater.eof:
                inflater = zlib.decompressobj(_GZIP_WINDOW)
            try:
                decoded = inflater.decompress(rest, min(limit + 1, STEP_BYTES))
            except zlib.error:
                raise RetryableSourceError("The answer is not gzip as announced.", code="bad_answer") from None
            written += len(decoded)
            if written > max(RATIO_FREE_BYTES, read * MAX_RATIO):
                raise _too_large(limit)
            yield decoded
            # Zeros behind a member pad it.
            rest = inflater.unused_data.lstrip(b"\0") if inflater.eof else inflater.unconsumed_tail
    if not inflater.eof:
        raise RetryableSourceError("The answer ended in the middle.", code="bad_answer")


def _too_large(limit: int) -> RetryableSourceError:
    return RetryableSourceError(f"The answer is larger than {limit} bytes or blown up.", code="body_too_large")


def http_date(text: str) -> float | None:
    """A date of a header in seconds since 1970; None for what is none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
