"""Conditional reads (RFC 9110, sections 8.8.3 and 13.1.2): a strong ETag, and 304 for who knows the answer already."""

from hashlib import blake2b
from typing import Any

from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response

from system.api.pagination import Page
from system.api.renderers import dumps
from system.api.views import ApiViewMixin


class ConditionalMixin(ApiViewMixin):
    """For views that read. The ETag covers the data, not the envelope, whose time and request id always differ."""

    def reply_unless_known(self, request: Request, data: Any) -> Response:
        """The answer, or 304 without a body when If-None-Match holds its ETag."""
        etag = self._etag(data)
        known = parse_etags(request.META.get("HTTP_IF_NONE_MATCH", ""))
        if "*" in known or etag in (tag.removeprefix("W/") for tag in known):
            return Response(status=304, headers={"ETag": etag})
        return self.reply(data, headers={"ETag": etag})

    def _etag(self, data: Any) -> str:
        content = dumps(self.api.page(data) if isinstance(data, Page) else data)
        return f'"{blake2b(content, digest_size=16, person=self.api.name.encode()).hexdigest()}"'
