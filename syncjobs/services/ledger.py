"""The daily ledger of calls in the database: what survives Redis."""

import logging
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import DatabaseError, InterfaceError, connection, transaction

from syncjobs.connectors.alibaba1688.quota import Counted, limiter_unavailable
from syncjobs.models import CallLedger
from system import sql

logger = logging.getLogger(__name__)

# Whoever comes with older numbers changes nothing, so it may be said twice and in any order.
SAVE_SQL = """
INSERT INTO syncjobs_callledger AS l (bucket, day, api, calls, refused, used_up_at, updated_at)
SELECT %(bucket)s::text, %(day)s::date, api, calls, refused, used_up_at, now()
FROM unnest(%(apis)s::text[], %(calls)s::bigint[], %(refused)s::bigint[], %(used_up)s::timestamptz[])
    AS said (api, calls, refused, used_up_at)
ORDER BY api
ON CONFLICT (bucket, day, api) DO UPDATE SET calls = greatest(l.calls, excluded.calls),
    refused = greatest(l.refused, excluded.refused), used_up_at = greatest(l.used_up_at, excluded.used_up_at),
    updated_at = now()
RETURNING api, calls, refused, used_up_at
"""
API_LENGTH = 100


class StoredLedger:
    """The gate's `Ledger` for the sources of one app key."""

    def __init__(self, bucket: str) -> None:
        self.bucket = bucket

    def load(self, day: date) -> dict[str, Counted]:
        """What is known of a day, by API.

        Raises:
            RetryableSourceError: the database is away.
        """
        lines = CallLedger.objects.filter(bucket=self.bucket, day=day)
        try:
            return {line.api: Counted(line.calls, line.refused, line.used_up_at) for line in lines}
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the ledger of calls cannot be read: %s", error)
            raise limiter_unavailable() from None

    def save(self, day: date, counts: Mapping[str, Counted]) -> dict[str, Counted]:
        """Keep the larger numbers; returns those that are kept.

        Inside somebody's transaction it waits for the next portion or the sweeper: the rows would stay locked for all
        other workers until that transaction ends.
        """
        return {} if connection.in_atomic_block else self.save_now(day, counts)

    def save_now(self, day: date, counts: Mapping[str, Counted]) -> dict[str, Counted]:
        """Keep the larger numbers whatever the transaction; {} when the database is away."""
        try:
            with transaction.atomic():
                return {row["api"]: _counted(row) for row in sql.rows(SAVE_SQL, self._values(day, counts))}
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the ledger of calls is not written through: %s", error)
            return {}

    def _values(self, day: date, counts: Mapping[str, Counted]) -> dict[str, Any]:
        return {
            "bucket": self.bucket,
            "day": day,
            "apis": [api[:API_LENGTH] for api in counts],
            "calls": [counted.calls for counted in counts.values()],
            "refused": [counted.refused for counted in counts.values()],
            "used_up": [counted.used_up_at for counted in counts.values()],
        }


def _counted(row: dict[str, Any]) -> Counted:
    return Counted(row["calls"], row["refused"], row["used_up_at"])
