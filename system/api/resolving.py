"""Addresses found again without a look at every route."""

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.urls import ResolverMatch
from django.urls.resolvers import URLResolver

REMEMBERED = 4096


class RememberingResolver(URLResolver):
    """The framework's own, which tries route after route, for addresses that are asked for again and again.

    Which route an address has depends on nothing but the versions there are. What the caller gets is a copy, made by
    the resolver above.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._remembered = lru_cache(REMEMBERED)(self._found)

    def resolve(self, path: str) -> ResolverMatch:
        """The route of an address.

        Raises:
            Resolver404: it has none; that is not remembered.
        """
        return self._remembered(path, tuple(settings.API_VERSIONS))

    def _found(self, path: str, _versions: tuple[str, ...]) -> ResolverMatch:
        return super().resolve(path)
