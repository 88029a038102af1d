"""What a walk saw, in a table that is not logged: a crash of the database empties it, and the walk proves nothing."""

from syncjobs.models import SeenProduct
from system import sql


def remember(job_id: int, seen: frozenset[str]) -> None:
    """Note what a batch of this walk was shown."""
    sql.execute(
        "INSERT INTO syncjobs_seenproduct (job_id, source_id)"
        " SELECT %s::bigint, unnest(%s::text[]) ON CONFLICT DO NOTHING",
        [job_id, sql.array(sorted(seen))],
    )


def begin(job_id: int) -> None:
    """Leave a mark in the table that a crash of the database empties; an id below zero is no job's."""
    sql.execute(
        "INSERT INTO syncjobs_seenproduct (job_id, source_id) VALUES (%s, '') ON CONFLICT DO NOTHING", [-job_id]
    )


def is_whole(job_id: int) -> bool:
    """Whether what the walk saw is still known, all of it."""
    return SeenProduct.objects.filter(job_id=-job_id).exists()
