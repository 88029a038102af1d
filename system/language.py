"""The language of an API call: what its headers ask for, else the default one."""

from functools import lru_cache

from django.http import HttpRequest
from django.utils import translation

# Nobody honest sends more; what a client made up must not fill the memory.
REMEMBERED, REMEMBERED_LENGTH = 1024, 200


def language_of(request: HttpRequest) -> str:
    """The code of the language to answer in."""
    if "HTTP_COOKIE" in request.META:
        return translation.get_language_from_request(request)
    return accepted_language(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))


def accepted_language(header: str) -> str:
    """The language an Accept-Language header asks for."""
    return (_accepted if len(header) <= REMEMBERED_LENGTH else _accepted.__wrapped__)(header)


@lru_cache(REMEMBERED)
def _accepted(header: str) -> str:
    request = HttpRequest()
    request.META["HTTP_ACCEPT_LANGUAGE"] = header
    return translation.get_language_from_request(request)
