"""One beat at a time: however many run, only the holder of an advisory lock sends."""

import logging
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django_celery_beat.schedulers import DatabaseScheduler

logger = logging.getLogger(__name__)

LOCK = 0x1688_BEA7
# How long a waiting beat sleeps before it asks whether the one before it is gone.
LOOK_SECONDS = 5.0


class SingleScheduler(DatabaseScheduler):  # type: ignore[misc] # ships no types
    """The database's schedule, sent by one process; the lock ends with its holder's connection, however that ends."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # A connection of its own: the scheduler closes Django's from time to time, which would give the lock away.
        self._guard = connection.copy()
        self._leads = False
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due if we lead; returns the seconds until the next look."""
        if not self._is_leader():
            return LOOK_SECONDS
        wait: float = super().tick(*args, **kwargs)
        return wait

    def close(self) -> None:
        """Give the lock away with the connection."""
        self._guard.close()
        super().close()

    def _is_leader(self) -> bool:
        try:
            leads = self._holds_lock()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("beat cannot reach its lock and sends nothing: %s", error)
            self._guard.close()
            leads = False
        if leads and not self._leads:
            logger.info("this beat leads")
        self._leads = leads
        return leads

    def _holds_lock(self) -> bool:
        """Ask the database every time: a lock whose connection broke is somebody else's. Asking twice is no harm."""
        with self._guard.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s::bigint)", [LOCK])
            return bool(cursor.fetchone()[0])
