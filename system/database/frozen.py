"""Sessions whose client stands still in the middle of a COPY: a frozen process holds its locks for as long as it likes.

PostgreSQL ends idle transactions by itself (`idle_in_transaction_session_timeout`), and its statement timeout does not
wake a server that waits for a client's rows. A COPY of ours sends its rows without a pause and takes milliseconds.
"""

import logging

from system import sql

logger = logging.getLogger(__name__)

FROZEN_SECONDS = 30
# By what `system.sql.copy_rows` begins with, so that nobody else's COPY is meant.
END_FROZEN_SQL = """
SELECT pid, pg_terminate_backend(pid) AS ended FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND state = 'active' AND wait_event = 'ClientRead'
  AND query LIKE 'COPY %% FROM STDIN (FORMAT BINARY)' AND query_start < now() - make_interval(secs => %s::int)
"""


def end_frozen_copies() -> int:
    """End the sessions whose COPY waits for its client longer than FROZEN_SECONDS; returns how many there were."""
    ended = sql.rows(END_FROZEN_SQL, [FROZEN_SECONDS])
    for session in ended:
        logger.warning("session %s stood still in the middle of a COPY and was ended", session["pid"])
    return len(ended)
