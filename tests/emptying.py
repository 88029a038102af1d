"""What a committing test leaves behind, removed: the tables that have rows are emptied, the others only looked at.

Django empties all tables and makes permissions and roles anew, which takes longer than most tests.
"""

from functools import cache

from django.core.management.sql import emit_post_migrate_signal
from django.db import OperationalError, connection, transaction
from psycopg import sql
from psycopg.errors import DeadlockDetected

# Filled after the migrations, the same in every test.
KEPT = ("auth_group", "auth_group_permissions", "auth_permission", "django_content_type")
DIGEST = "SELECT {name}, md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM {table} t"
# The locks wait for whoever is still at work here, such as a process that was killed a moment ago. Deleting the rows of
# a small table is quicker than making new files for it and its indexes.
EMPTY = """
DO $$
DECLARE
    place text;
    is_filled boolean;
BEGIN
    LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE;
    SET LOCAL session_replication_role = replica;
    FOREACH place IN ARRAY ARRAY[{names}] LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', place) INTO is_filled;
        IF NOT is_filled THEN
            CONTINUE;
        ELSIF pg_table_size(place::regclass) < 500000 THEN
            EXECUTE format('DELETE FROM %I', place);
        ELSE
            EXECUTE format('TRUNCATE %I CASCADE', place);
        END IF;
    END LOOP;
END $$
"""

# A request that a test did not wait for reads table after table, while all of them are being locked.
MOST_DEADLOCKS = 5

_digests: list[tuple[str, str]] = []


def remember() -> None:
    """Note what is there after the migrations."""
    _digests[:] = _look()


def empty() -> None:
    """Leave the database as the migrations did."""
    for _ in range(MOST_DEADLOCKS):
        try:
            return _empty()
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
    return _empty()


def _empty() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_statement(False))
        changed = _look() != _digests
        if changed:
            cursor.execute(_statement(True))
    if changed:
        emit_post_migrate_signal(verbosity=0, interactive=False, db=connection.alias)
        remember()


@cache
def _statement(with_kept: bool) -> str:
    found = connection.introspection.django_table_names(only_existing=True, include_views=False)
    names = sorted(name for name in found if with_kept or name not in KEPT)
    with connection.cursor() as cursor:
        return (
            sql.SQL(EMPTY)
            .format(
                tables=sql.SQL(", ").join(map(sql.Identifier, names)), names=sql.SQL(", ").join(map(sql.Literal, names))
            )
            .as_string(cursor.connection)
        )


def _look() -> list[tuple[str, str]]:
    parts = [sql.SQL(DIGEST).format(name=sql.Literal(name), table=sql.Identifier(name)) for name in KEPT]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(parts))
        return sorted(cursor.fetchall())
