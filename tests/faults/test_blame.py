"""What counts as a lost worker: a process that died, and neither an outage nor one that stood still and came back."""

import os
import signal
import time
from collections.abc import Callable
from functools import partial

import pytest

from tests.conftest import eventually
from tests.faults.failpoints import Fault
from tests.faults.stack import Stack

PRODUCTS = 600
# Longer than a lease of the stack, so that what is in flight meanwhile runs out.
AWAY_SECONDS = 6
NORMALIZED = "syncjobs.engine.normalize:Normalized.map"
CRASHES = "SELECT coalesce(sum(crashes), 0) FROM syncjobs_syncbatch"
MOST_CRASHES = "SELECT max(crashes) FROM syncjobs_syncbatch"
LOST_ATTEMPTS = """
SELECT count(*) FROM system_task, jsonb_array_elements(attempts) AS attempt
WHERE state <> 'running' AND NOT attempt ? 'finished_at'
"""


def postgres_is_away(stack: Stack) -> None:
    """The database stops at once and comes back."""
    stack.postgres.stop()
    time.sleep(AWAY_SECONDS)
    stack.postgres.start()


def redis_is_away(stack: Stack) -> None:
    """The broker is killed and comes back."""
    stack.redis.kill()
    time.sleep(AWAY_SECONDS)
    stack.redis.start()


@pytest.mark.parametrize("outage", [postgres_is_away, redis_is_away])
def test_an_outage_is_no_crash_of_what_was_in_flight(stack: Stack, outage: Callable[[Stack], None]) -> None:
    stack.forget(PRODUCTS)
    task_id = stack.start_sync()
    eventually(partial(got_on, stack, task_id))
    outage(stack)
    job = stack.ended(task_id)
    assert (job["state"], job["processed"]) == ("succeeded", PRODUCTS)
    assert stack.rows(CRASHES) == [(0,)]
    assert stack.rows(LOST_ATTEMPTS) == [(0,)]


def got_on(stack: Stack, task_id: str) -> bool:
    """Whether the walk has begun."""
    return int(stack.job(task_id)["processed"]) > 0


def test_who_comes_back_was_not_lost(stack: Stack) -> None:
    stack.forget(PRODUCTS)
    with stack.faults.of(Fault(at=NORMALIZED, kind="stop", call=3)):
        task_id = stack.start_sync()
        (sleeper,) = eventually(stack.workers[0].stopped_children)
        job = stack.ended(task_id)
    # It held the batch it wrote, and the one it read beside.
    assert (job["state"], stack.rows(MOST_CRASHES)) == ("succeeded", [(1,)])
    assert stack.rows(LOST_ATTEMPTS) == [(1,)]
    os.kill(sleeper, signal.SIGCONT)
    eventually(lambda: stack.rows(LOST_ATTEMPTS) == [(0,)])
