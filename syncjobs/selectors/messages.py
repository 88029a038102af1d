"""Reads of change messages: whether somebody listens, and when one last came."""

from typing import Any

from system import sql

# A listener shows itself every ten seconds; after this long without it counts as gone.
LISTENER_ONLINE_SECONDS = 60

CHANNELS_SQL = """
SELECT s.name AS source,
    coalesce(l.connected_at IS NOT NULL AND l.seen_at > now() - make_interval(secs => %s::int), false) AS listening,
    l.seen_at, l.connected_at, l.pulled_until AS caught_up_until, coalesce(l.error, '') AS error,
    (SELECT max(m.created_at) FROM syncjobs_changemessage m WHERE m.source_id = s.id) AS last_message_at,
    (SELECT count(*) FROM (SELECT 1 FROM syncjobs_changemessage m
        WHERE m.source_id = s.id AND m.handled_at IS NULL LIMIT 10000) AS waiting) AS waiting
FROM syncjobs_source s LEFT JOIN syncjobs_messagelistener l ON l.source_id = s.id
WHERE s.kind = 'alibaba1688' AND s.is_enabled ORDER BY s.id
"""


def channels_view() -> list[dict[str, Any]]:
    """How messages come in, source by source; one query. `waiting` counts those whose products are not fetched yet."""
    return sql.rows(CHANNELS_SQL, [LISTENER_ONLINE_SECONDS])
