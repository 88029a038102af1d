"""Messages that nobody confirmed, asked of the platform: the way to catch up after an outage.

Confirming a message takes it out of the listing, so the pages behind it move up: the first page is read again and
again until nothing new is on it (1688 open platform, `push.query.messageList`, `push.message.confirm`).
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from syncjobs.connectors.alibaba1688.answers import ConfirmAnswer, MessagesAnswer
from syncjobs.connectors.alibaba1688.apis import CONFIRM_MESSAGES, FAILED_MESSAGES, NEXT_MESSAGES
from syncjobs.connectors.alibaba1688.client import GatewayClient
from syncjobs.connectors.alibaba1688.failures import BusinessError
from syncjobs.connectors.alibaba1688.messages import PushedMessage, read_document
from syncjobs.engine.errors import FatalSourceError

PAGE_SIZE = 200  # the platform takes 20 to 200
# How long a window may be is not documented.
LONGEST_WINDOW = timedelta(days=1)
# A listing that never ends must end some time; the next run goes on.
MOST_PAGES = 1000
NOT_GRANTED = "api_not_granted"

# Stores messages; returns once they are safe, and only then they are confirmed.
Keep = Callable[[Sequence[PushedMessage]], None]


class FailedMessages:
    """The messages the platform keeps for an app."""

    def __init__(self, client: GatewayClient) -> None:
        self._client = client

    def now(self) -> datetime:
        """The platform's clock. Raises EngineError."""
        return self._client.now()

    def pull(self, since: datetime, until: datetime, keep: Keep) -> Iterator[int]:
        """Bring all messages born from `since` to `until`; yields after each page how many it held.

        An app that may not list by time gets the platform's own next ones instead, which confirms them unseen: those
        of a crash at that very moment are lost, and the next incremental sync is what finds their products.

        Raises:
            EngineError: what is kept by then is kept, all else comes again.
        """
        try:
            while since < until:
                end = min(since + LONGEST_WINDOW, until)
                yield from self._window(since, end, keep)
                since = end
        except FatalSourceError as error:
            if error.code != NOT_GRANTED:
                raise
            yield from self._cursor(keep)

    def _window(self, since: datetime, until: datetime, keep: Keep) -> Iterator[int]:
        seen: set[int] = set()
        page = 1
        for _ in range(MOST_PAGES):
            asked = {"createStartTime": since, "createEndTime": until, "page": page, "pageSize": PAGE_SIZE}
            rows = self._asked(FAILED_MESSAGES, asked)
            if not rows:
                return
            messages, fresh = list(_readable(rows)), {hash(bytes(row)) for row in rows} - seen
            keep(messages)
            confirmed = self._confirm(messages)
            yield len(rows)
            # What cannot be confirmed stays where it is and would be read for ever.
            seen |= fresh
            if not (confirmed and fresh):
                page += 1

    def _cursor(self, keep: Keep) -> Iterator[int]:
        for _ in range(MOST_PAGES):
            rows = self._asked(NEXT_MESSAGES, {"quantity": PAGE_SIZE})
            if not rows:
                return
            keep(list(_readable(rows)))
            yield len(rows)

    def _asked(self, api: Any, params: dict[str, Any]) -> list[msgspec.Raw]:
        try:
            answer = self._client.call(api, params, MessagesAnswer)
        except BusinessError as error:
            raise error.as_engine_error(api) from None
        return (answer.page.items if answer.page else answer.cursor_items) or []

    def _confirm(self, messages: Sequence[PushedMessage]) -> bool:
        """Say that these are safe; False when the platform did not take it, which only means that they come again."""
        ids = [int(message.msg_id) for message in messages if message.msg_id.isdigit()]
        if not ids:
            return False
        try:
            answer = self._client.call(CONFIRM_MESSAGES, {"msgIdList": ids}, ConfirmAnswer)
        except BusinessError:
            return False
        return str(answer.is_success).lower() != "false"


def _readable(rows: Sequence[msgspec.Raw]) -> Iterator[PushedMessage]:
    """The messages among them; what is none stays unconfirmed and is passed over."""
    for row in rows:
        try:
            yield read_document(msgspec.json.decode(row, type=dict[str, Any]))
        except (ValueError, RecursionError):
            continue
