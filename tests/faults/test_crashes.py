"""P2 to P5, P8, P9, P14: whatever is killed, and wherever, a sync ends as if nothing had happened."""

import os
import random
import signal
import time
from collections.abc import Iterator
from functools import partial

import pytest

from tests.conftest import eventually
from tests.faults.app import POISON_KIND
from tests.faults.failpoints import STEPS, Fault, Kind
from tests.faults.figures import NOTHING_WRONG, SCALE, compare, record
from tests.faults.stack import LEASE_SECONDS, Stack

PRODUCTS = 300
BATCH_RUNS = "syncjobs.services.slices:_run"
NORMALIZED = "syncjobs.engine.normalize:Normalized.map"
FENCED = "syncjobs.services.batches:check_fence"
KINDS: tuple[Kind, ...] = ("kill", "database", "disconnect", "error")
RESTING = "SELECT 1 FROM syncjobs_syncjob WHERE state NOT IN ('running', 'stopping')"


def committed(stack: Stack) -> int:
    """Batches done so far."""
    return int(stack.rows("SELECT count(*) FROM syncjobs_syncbatch WHERE state = 'done'")[0][0])


def shoot(stack: Stack, dice: random.Random) -> tuple[str, float]:
    """Kill a process of the pool or the whole worker; returns which, and the seconds until the next commit."""
    before, what = committed(stack), "child" if dice.random() < 0.5 else "worker"
    if what == "child":
        stack.workers[0].kill_child(dice.randrange(2))
    else:
        stack.workers[0].restart()
    shot_at = time.monotonic()
    eventually(lambda: committed(stack) > before or stack.rows(RESTING))
    return what, time.monotonic() - shot_at


def is_so_far(stack: Stack, task_id: str, goal: int) -> bool:
    """Whether so many products are done, or the job is over."""
    return stack.job(task_id)["processed"] >= goal or bool(stack.rows(RESTING))


def has_begun(stack: Stack, task_id: str) -> bool:
    """Whether something is stored."""
    return bool(stack.job(task_id)["processed"])


def test_kills_at_random_lose_and_double_nothing(stack: Stack) -> None:
    products, kills, dice = 1500 * SCALE, 5 * SCALE, random.Random(1688)
    expected = stack.quiet_run(products)
    task_id = stack.start_sync()
    took: dict[str, list[float]] = {"child": [], "worker": []}
    for number in range(kills):
        goal = products * (number + 1) // (kills + 2)
        eventually(partial(is_so_far, stack, task_id, goal))
        what, seconds = shoot(stack, dice)
        took[what].append(seconds)
    job, found = stack.ended(task_id), compare(expected, stack.catalogue())
    record("P2", f"kill -9 in a sync of {products:,} products", kills, found)
    for what, times in took.items():
        record("P3", f"next commit after a kill of the {what}", len(times), seconds=max(times, default=0))
    assert (job["state"], job["processed"], job["created"]) == ("succeeded", products, products)
    assert found == NOTHING_WRONG
    assert stack.rows("SELECT count(*) FROM products_productchange WHERE kind = 'created'") == [(products,)]


@pytest.mark.parametrize("turn", range(len(KINDS) if SCALE > 1 else 1))
def test_a_fault_at_every_step_of_a_batch_changes_nothing(stack: Stack, turn: int) -> None:
    """Each step with one kind of fault; the long form goes round until each step has had them all."""
    expected = stack.quiet_run(PRODUCTS)
    wrong = NOTHING_WRONG
    for number, step in enumerate(STEPS):
        # A job may end within one slice, everything else happens at least twice.
        call = 1 if step.endswith(":settle") else 2
        fault = Fault(at=step, kind=KINDS[(number + turn) % len(KINDS)], call=call)
        with stack.faults.of(fault):
            job = stack.ended(stack.start_sync())
            assert stack.faults.struck(step) >= fault.call, f"{step} was never reached"
        found = compare(expected, stack.catalogue())
        wrong += found
        assert (job["state"], job["processed"], found) == ("succeeded", PRODUCTS, NOTHING_WRONG), step
        stack.forget()
    what = f"a fault ({', '.join(KINDS)}) at each step of a batch, turn {turn + 1}"
    record("P5", what, len(STEPS), wrong)


@pytest.mark.parametrize("step", [NORMALIZED, FENCED])
def test_a_process_that_slept_through_its_lease_writes_nothing(stack: Stack, step: str) -> None:
    expected = stack.quiet_run(PRODUCTS)
    wrong, trials = NOTHING_WRONG, 2 * SCALE - 1
    for trial in range(trials):
        worker = stack.workers[0]
        with stack.faults.of(Fault(at=step, kind="stop", call=2 + trial)):
            task_id = stack.start_sync()
            (sleeper,) = eventually(worker.stopped_children)
            # The other process of the pool takes the batch over once the lease has ended.
            job = stack.ended(task_id)
        found = compare(expected, stack.catalogue())
        changes = stack.rows("SELECT count(*) FROM products_productchange")
        os.kill(sleeper, signal.SIGCONT)
        time.sleep(1)
        after = compare(expected, stack.catalogue())
        assert (job["state"], job["processed"]) == ("succeeded", PRODUCTS)
        assert found == after == NOTHING_WRONG
        assert stack.rows("SELECT count(*) FROM products_productchange") == changes == [(PRODUCTS,)]
        wrong += after
        stack.forget()
    what = f"a process stopped for more than its lease of {LEASE_SECONDS} s, then woken, at {step.partition(':')[2]}"
    record("P4", what, trials, wrong)


def test_a_batch_that_kills_its_worker_is_set_aside_and_the_job_goes_on(stack: Stack) -> None:
    stack.forget(PRODUCTS)
    with stack.faults.of(Fault(at=BATCH_RUNS, kind="kill", after=False, number=3, times=99)):
        job = stack.ended(stack.start_sync())
        deaths = stack.faults.struck(BATCH_RUNS)
    aside = stack.rows("SELECT number, crashes, error ->> 'code' FROM syncjobs_syncbatch WHERE state = 'failed'")
    record("P8", "a batch that kills every process that touches it", deaths)
    assert (job["state"], job["processed"]) == ("partial", PRODUCTS - 20)
    assert (aside, deaths) == ([(3, 3, "crash_loop")], 3)
    assert job["error"]["code"] == "batches_set_aside"


def test_a_task_that_kills_its_worker_fails_after_three_attempts(stack: Stack) -> None:
    stack.forget()
    stack.rows(
        "INSERT INTO system_task (id, kind, queue, state, payload, attempts, fence, created_at, request_id)"
        " VALUES (gen_random_uuid(), %s, 'default', 'pending', '{}', '[]', 0, now(), '')",
        POISON_KIND,
    )
    ended = "SELECT state, error ->> 'code', jsonb_array_length(attempts) FROM system_task WHERE kind = %s"
    eventually(lambda: stack.rows(ended, POISON_KIND)[0][0] == "failed")
    assert stack.rows(ended, POISON_KIND) == [("failed", "crash_loop", 3)]
    assert stack.ended(stack.start_sync(sku_list=["600000000001"]))["state"] in {"succeeded", "partial"}


def test_a_stop_lasts_over_restarts_of_the_workers(stack: Stack) -> None:
    for _ in range(3 * SCALE):
        stack.forget(2000)
        task_id = stack.start_sync()
        eventually(partial(has_begun, stack, task_id))
        stack.api.call("POST", "sync/stop", {"task_id": task_id})
        stack.workers[0].restart()
        job = stack.ended(task_id)
        assert job["state"] == "stopped"
        time.sleep(2 * LEASE_SECONDS / 2)
        assert stack.job(task_id) == job
    record("P9", "stopped while the worker is killed: states that came back", 3 * SCALE)


@pytest.fixture
def rash(stack: Stack) -> Iterator[Stack]:
    """A stack whose source delists what one walk has missed."""
    ((usual,),) = stack.rows("SELECT delist_after_walks FROM syncjobs_source")
    stack.rows("UPDATE syncjobs_source SET delist_after_walks = 1")
    yield stack
    stack.rows("UPDATE syncjobs_source SET delist_after_walks = %s", usual)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_full_sync_that_fails_deletes_nothing(rash: Stack, share: float) -> None:
    stack = rash
    stack.forget(PRODUCTS)
    assert stack.ended(stack.start_sync())["state"] == "succeeded"
    stack.rows("TRUNCATE syncjobs_syncjob, syncjobs_syncbatch")
    stack.gateway.control("delist", count=20)
    spared = max(1, int((PRODUCTS - 20) / 20 * share))
    stack.gateway.faults({"kind": "html_body", "status": 403, "api": "alibaba.product.list.get", "after": spared})
    task_id = stack.start_sync()
    in_trouble = "SELECT 1 FROM syncjobs_syncbatch WHERE failures > 0"
    eventually(lambda: stack.rows(in_trouble) or stack.rows(RESTING))
    if not stack.rows(RESTING):
        stack.api.call("POST", "sync/stop", {"task_id": task_id})
    assert stack.ended(task_id)["state"] in {"stopped", "failed"}
    stack.gateway.clear_faults()
    record("P14", f"a full sync that fails after {share:.0%}", 1)
    assert stack.rows("SELECT count(*) FROM products_productchange WHERE kind <> 'created'") == [(0,)]
    assert stack.rows("SELECT count(*) FROM products_missingproduct") == [(0,)]
    assert stack.ended(stack.start_sync())["state"] == "succeeded"
