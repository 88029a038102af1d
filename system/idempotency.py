"""Answers remembered under an Idempotency-Key: found, kept, and locked while their request runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import blake2b

import msgspec
from django.db import transaction
from django.utils import timezone

from system import runtime, sql
from system.models import IdempotencyKey


class Remembered(msgspec.Struct, frozen=True):
    """An answer as it was given.

    Attributes:
        digest: of the request it answered.
        body: the data as JSON, spelled the way of the API version, and the message.
    """

    digest: bytes
    status: int
    headers: dict[str, str]
    body: bytes


def is_free(caller: str, key: str) -> bool:
    """Take the key until the surrounding transaction ends; False while another request holds it."""
    row = sql.fetch_one("SELECT pg_try_advisory_xact_lock(%s::bigint)", [_lock(caller, key)])
    return bool(row and row[0])


@contextmanager
def held_outside(caller: str, key: str) -> Iterator[bool]:
    """Take the key without a transaction, for work that waits for others; gives False while another holds it."""
    lock = [_lock(caller, key)]
    row = sql.fetch_one("SELECT pg_try_advisory_lock(%s::bigint)", lock)
    if not (row and row[0]):
        yield False
        return
    try:
        yield True
    finally:
        sql.fetch_one("SELECT pg_advisory_unlock(%s::bigint)", lock)


def recall(caller: str, key: str) -> Remembered | None:
    """The answer kept under the key; None when there is none, or its time is over."""
    found = IdempotencyKey.objects.filter(caller=caller, key=key, created_at__gt=_oldest()).first()
    if found is None:
        return None
    return Remembered(bytes(found.digest), found.status, found.headers, bytes(found.body))


def remember(caller: str, key: str, route: str, answer: Remembered) -> None:
    """Keep an answer in the caller's transaction, in place of one whose time is over."""
    with transaction.atomic():
        IdempotencyKey.objects.filter(caller=caller, key=key).delete()
        IdempotencyKey.objects.create(
            caller=caller,
            key=key,
            route=route[:500],
            digest=answer.digest,
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
        )


def _oldest() -> datetime:
    return timezone.now() - timedelta(hours=runtime.integer("idempotency.hours"))


def _lock(caller: str, key: str) -> int:
    """The key as a number PostgreSQL can lock; two keys share one once in 2^64."""
    return int.from_bytes(blake2b(f"{caller}\0{key}".encode(), digest_size=8).digest(), signed=True)
