"""What a WebSocket client may say, and how often. Everything else is a fault; three faults end the connection."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# RFC 6455, section 7.4.1.
UNSUPPORTED_DATA, POLICY_VIOLATION, TOO_BIG = 1003, 1008, 1009
# What a JSON number can hold exactly everywhere.
LARGEST_SEQ = 2**53


class Fault(Exception):
    """A message we do not take: `code` and `message` for the client, `close` once its patience is used up."""

    def __init__(self, code: str, message: Promise, close: int = POLICY_VIOLATION) -> None:
        self.code = code
        self.message = message
        self.close = close
        super().__init__(code)


class Inbox:
    """Reads the messages of one socket and counts them: WS_INBOUND_MESSAGES in WS_INBOUND_SECONDS."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._times: deque[float] = deque(maxlen=settings.WS_INBOUND_MESSAGES)

    def take(self, message: Mapping[str, Any]) -> int:
        """The number from a `{"type": "resume", "since": n}`.

        Args:
            message: an ASGI `websocket.receive` message.

        Raises:
            Fault: any other message, or too many.
        """
        self._count()
        text = message.get("text")
        if text is None:
            raise Fault("binary", _("Only text messages are understood."), UNSUPPORTED_DATA)
        if len(text.encode()) > settings.WS_MAX_INBOUND_BYTES:
            raise Fault("too_big", _("The message is too long."), TOO_BIG)
        return _since(_json(text))

    def _count(self) -> None:
        now = self._clock()
        full = len(self._times) == self._times.maxlen
        if full and now - self._times[0] < settings.WS_INBOUND_SECONDS:
            raise Fault("too_many", _("Too many messages."))
        self._times.append(now)


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Fault("bad_json", _("The message is not JSON.")) from None


def _since(message: Any) -> int:
    if not isinstance(message, dict) or message.get("type") != "resume":
        raise Fault("unknown_type", _('The only message understood is {"type": "resume", "since": n}.'))
    since = message.get("since")
    if type(since) is not int or not 0 <= since <= LARGEST_SEQ or len(message) > 2:
        raise Fault("bad_since", _("since must be the number of an event."))
    return since
