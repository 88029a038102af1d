"""The language of an API call: what its headers ask for, else the default one."""

from functools import lru_cache

from django.http import HttpRequest
from django.utils import translation

# Nobody honest sends more; what a client made up must not fill the memory.
REMEMBERED, REMEMBERED_LENGTH = 1024, 200


def language_of(request: HttpRequest) -> str:
    """The code of the language to answer in."""
    meta = request.META
    accepted = meta.get("HTTP_ACCEPT_LANGUAGE", "")
    if "HTTP_COOKIE" in meta or len(accepted) > REMEMBERED_LENGTH:
        return translation.get_language_from_request(request)
    return accepted_language(accepted)


@lru_cache(REMEMBERED)
def accepted_language(header: str) -> str:
    """The language an Accept-Language header asks for."""
    request = HttpRequest()
    request.META["HTTP_ACCEPT_LANGUAGE"] = header
    return translation.get_language_from_request(request)
