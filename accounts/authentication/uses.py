"""When a key was last used: written down once a minute, so that a busy key does not write with every call."""

import logging
from time import monotonic

from django.db import Error as DatabaseProblem
from django.db import transaction
from django.utils import timezone

from accounts.authentication.memory import Memory
from system import sql

REMEMBERED = 20_000
USE_SECONDS = 60

# A row somebody changes at this moment is passed over: a call must not wait for it.
NOTE_USE = """
    UPDATE accounts_apikey SET last_used_at = %(now)s::timestamptz
    WHERE id = (
        SELECT id FROM accounts_apikey
        WHERE id = %(id)s::bigint
          AND (last_used_at IS NULL OR last_used_at < %(now)s::timestamptz - make_interval(secs => %(seconds)s::float))
        FOR UPDATE SKIP LOCKED
    )
"""

logger = logging.getLogger(__name__)

_noted: Memory[int, bool] = Memory(REMEMBERED)


def note_use(key_id: int) -> None:
    """Write down that a key was used, unless that was done a moment ago; a call never fails with it."""
    if _noted.recall(key_id, USE_SECONDS):
        return
    _noted.keep(key_id, True, monotonic())
    try:
        with transaction.atomic():
            sql.execute(NOTE_USE, {"id": key_id, "now": timezone.now(), "seconds": USE_SECONDS})
    except DatabaseProblem as error:
        logger.warning("Use of API key %d not written down: %s", key_id, error)


def forget_uses() -> None:
    """Let the next use of every key be written down."""
    _noted.clear()
