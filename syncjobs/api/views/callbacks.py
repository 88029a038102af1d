"""Where 1688 pushes its change messages to."""

from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import parse_qsl

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from syncjobs.api.serializers.callbacks import CallbackAnswerSerializer
from syncjobs.services.messages import receive
from system.api.permissions import IsAnyone
from system.api.query import QuerySerializer
from system.api.views import ApiViewSet
from system.errors import ApplicationError, ErrorCode

MOST_FIELDS = 50


class CallbackFormParser(BaseParser):
    """Reads forms in UTF-8, bounded and without repeated fields, so that what is read is what was signed."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, str]:
        """The form's fields.

        Raises:
            ApplicationError: 413 too large; 400 not a form.
        """
        limit = CallbackViewSet.max_body_bytes
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise ApplicationError(ErrorCode.PAYLOAD_TOO_LARGE, details={"max_bytes": limit})
        try:
            pairs = parse_qsl(
                body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=MOST_FIELDS
            )
        except ValueError:
            raise _no_form(_("Not a form in UTF-8.")) from None
        form = dict(pairs)
        if len(form) < len(pairs):
            raise _no_form(_("A field appears twice."))
        return form


def _no_form(reason: Any) -> ApplicationError:
    return ApplicationError(ErrorCode.INVALID_PARAMETER, details={"body": [reason]})


@extend_schema(tags=["sync"])
class CallbackViewSet(ApiViewSet):
    """Change messages, signed by 1688 with the source's app secret."""

    permission_classes = [IsAnyone]
    max_body_bytes = 256 * 1024
    # A few addresses of the platform bring the messages of a whole shop.
    own_rate = "callback"

    def get_parsers(self) -> list[BaseParser]:
        return [CallbackFormParser()]

    @extend_schema(
        request={CallbackFormParser.media_type: OpenApiTypes.OBJECT}, responses=CallbackAnswerSerializer, auth=[]
    )
    def receive(self, request: Request, source: str) -> Response:
        """Take a message once, however often it is sent; its products are fetched again soon after.

        The form holds `message` (JSON) and `_aop_signature`. Anything that is not signed by this source is a 403.
        """
        QuerySerializer.parse(request)
        return self.reply({"is_new": receive(source, dict(request.data))}, message=_("Message received"))
