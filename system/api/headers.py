"""Response headers that are made once: the framework checks every header's characters, ours need that only once.

`HttpResponse.headers` keeps `{"etag": ("ETag", value)}`; what is put there directly is latin-1 without line breaks.
"""

from collections.abc import Collection, Mapping

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware

Headers = dict[str, tuple[str, str]]

# Documents are pages, with a policy of their own.
CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'"


def ready(headers: Mapping[str, str]) -> Headers:
    """The same headers in the framework's own form, checked."""
    checked: Headers = HttpResponse(headers=dict(headers)).headers._store
    return {name.lower(): checked[name.lower()] for name in headers}


def put(response: HttpResponseBase, headers: Headers) -> None:
    """Set headers, in place of those of the same name."""
    response.headers._store.update(headers)


def put_last(response: HttpResponseBase, headers: Headers) -> None:
    """Set headers and let the server have all of them as they are kept, instead of one by one by their names."""
    put(response, headers)
    response.items = response.headers._store.values  # type: ignore[method-assign]


def replace(response: HttpResponseBase, headers: Headers) -> None:
    """Have these headers and no others."""
    response.headers._store = headers


def kept(response: HttpResponseBase, *, without: Collection[str]) -> Headers:
    """The headers of a response, but for those of these names."""
    return {name: header for name, header in response.headers._store.items() if name not in without}


def put_missing(response: HttpResponseBase, headers: Headers) -> None:
    """Set those headers that the response does not have."""
    kept = response.headers._store
    for name, header in headers.items():
        kept.setdefault(name, header)


def standing_headers(*, secure: bool, language: str) -> Headers:
    """What every answer of the API says to browsers: nothing in it may run, be framed or be kept by others.

    Args:
        secure: the request came by HTTPS.
    """
    request, response = HttpRequest(), HttpResponse()
    request._get_scheme = lambda: "https" if secure else "http"  # type: ignore[attr-defined]
    del response.headers["Content-Type"]
    for middleware in (SecurityMiddleware, XFrameOptionsMiddleware):
        middleware(lambda _request: response).process_response(request, response)
    ours = {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Cache-Control": "no-store",
        "Content-Language": language,
        "Vary": "Accept-Language, origin",
    }
    return ready({**response.headers, **ours})
