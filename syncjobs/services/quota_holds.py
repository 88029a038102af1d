"""Jobs that are held because their calls were used up go on by themselves once a new day of calls has begun."""

import logging

from django.db import IntegrityError, transaction

from syncjobs.engine.errors import QuotaExhausted
from syncjobs.models import SyncJob
from syncjobs.services import announce, jobs
from system import sql

logger = logging.getLogger(__name__)

RESUMED = "sync resumed, the calls of a new day have begun"

# One of each app key at a time, the urgent ones first, so that they do not all begin at once: the sweeper comes again
# in ten seconds. Jobs that are held for a decision are left alone, and those whose scope has another open job.
DUE_SQL = """
SELECT DISTINCT ON (s.kind, coalesce(nullif(s.app_key, ''), s.name)) j.id
FROM syncjobs_syncjob j JOIN syncjobs_source s ON s.id = j.source_id
WHERE j.state = 'held' AND j.error ->> 'code' = %(code)s::text AND (j.error ->> 'until')::timestamptz <= now()
  AND s.is_enabled AND NOT EXISTS (SELECT 1 FROM syncjobs_syncjob o
      WHERE o.source_id = j.source_id AND o.scope = j.scope AND o.state IN ('pending', 'running', 'stopping'))
ORDER BY s.kind, coalesce(nullif(s.app_key, ''), s.name),
    array_position(ARRAY['critical', 'default', 'low'], j.priority), j.id
"""


def resume_after_reset() -> list[int]:
    """Resume what is due; returns the jobs that this caller resumed. Of many callers one gets each job."""
    due = [row["id"] for row in sql.rows(DUE_SQL, {"code": QuotaExhausted.default_code})]
    return [job_id for job_id in due if _resumed(job_id)]


def _resumed(job_id: int) -> bool:
    try:
        with transaction.atomic():
            if not jobs.reopen(job_id, [SyncJob.State.HELD], code=QuotaExhausted.default_code):
                return False
            jobs.go_on(job_id, SyncJob.State.HELD, RESUMED)
            announce.progress(job_id)
    except IntegrityError:
        logger.info("job %s stays held, another one of its scope was started", job_id)
        return False
    return True
