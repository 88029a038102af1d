"""P1, P6, P7: what was accepted is done, whichever server goes away in the middle."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx

from tests.conftest import eventually
from tests.faults.figures import NOTHING_WRONG, SCALE, Wrong, compare, record
from tests.faults.stack import Stack

FIRST_OFFER = 600_000_000_000
STARTS_PER_SECOND = 20
OPEN_JOBS = "SELECT count(*) FROM syncjobs_syncjob WHERE state IN ('pending', 'running', 'stopping')"


class Watcher:
    """Reads products all the time, as a shop would; counts what it is answered."""

    def __init__(self, stack: Stack) -> None:
        self.answers: Counter[str] = Counter()
        self.slowest = 0.0
        self._stack = stack
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._over.wait(0.05):
            asked = time.monotonic()
            answer = self._stack.api.once("GET", "products?page_size=5")
            self.slowest = max(self.slowest, time.monotonic() - asked)
            self.answers[_kind(answer)] += 1


def _kind(answer: httpx.Response | None) -> str:
    if answer is None:
        return "none"
    waits = "" if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE else f" {'Retry-After' in answer.headers}"
    return f"{answer.status_code}{waits}"


def at_each_third(stack: Stack, task_id: str, times: int) -> Iterator[int]:
    """Yields when so much of the job is done, `times` times; not after its end."""
    for number in range(times):
        share = (number + 1) / (times + 1)
        eventually(partial(_is_so_far, stack, task_id, share))
        if stack.job(task_id)["state"] == "running":
            yield number


def _is_so_far(stack: Stack, task_id: str, share: float) -> bool:
    job = stack.job(task_id)
    return job["state"] != "running" or bool(job["total"] and job["processed"] >= job["total"] * share)


@contextmanager
def undisturbed(stack: Stack, products: int, promise: str, what: str) -> Iterator[str]:
    """A sync whose end is compared with a quiet run; yields its task id."""
    expected = stack.quiet_run(products)
    task_id = stack.start_sync()
    yield task_id
    job, found = stack.ended(task_id), compare(expected, stack.catalogue())
    record(promise, what, 2 * SCALE, found)
    assert (job["state"], job["processed"], found) == ("succeeded", products, NOTHING_WRONG)


def goes_on(stack: Stack, task_id: str) -> float:
    """Seconds until the job has got further, or has ended."""
    since, before = time.monotonic(), stack.job(task_id)["processed"]
    eventually(lambda: stack.job(task_id)["processed"] > before or stack.job(task_id)["state"] != "running")
    return time.monotonic() - since


def test_a_database_that_is_cut_off_costs_time_only(stack: Stack) -> None:
    products, took = 1500 * SCALE, [0.0]
    with (
        undisturbed(stack, products, "P6", "immediate shutdowns of PostgreSQL in a sync") as task_id,
        Watcher(stack) as shop,
    ):
        for _ in at_each_third(stack, task_id, 2 * SCALE):
            stack.postgres.stop()
            time.sleep(1 + SCALE)
            stack.postgres.start()
            took.append(goes_on(stack, task_id))
    record("P6", "next commit after PostgreSQL is back", len(took) - 1, seconds=max(took))
    assert shop.answers["200"] > 0
    assert set(shop.answers) <= {"200", "503 True"}, shop.answers


def test_a_redis_that_is_killed_emptied_or_away_costs_time_only(stack: Stack) -> None:
    products, took = 1500 * SCALE, [0.0]
    with undisturbed(stack, products, "P7", "Redis killed or emptied in a sync") as task_id, Watcher(stack) as shop:
        for number in at_each_third(stack, task_id, 2 * SCALE):
            if number % 2:
                stack.flush_redis()
            else:
                stack.redis.kill()
                time.sleep(1 + SCALE)
                stack.redis.start()
            took.append(goes_on(stack, task_id))
    record("P7", "next commit after Redis is back", len(took) - 1, seconds=max(took))
    assert set(shop.answers) == {"200"}, shop.answers


def test_what_was_accepted_is_never_lost(stack: Stack) -> None:
    stack.forget(2000)
    count = 100 * SCALE
    # The killer stays on this thread: what a thread has started ends with it.
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(lambda: [ordered(stack, number) for number in range(count)])
        shoot_until(stack, asking)
        accepted = [task_id for task_id in asking.result() if task_id]
    calm = time.monotonic()
    eventually(lambda: stack.rows(OPEN_JOBS) == [(0,)])
    slowest = round(time.monotonic() - calm, 1)
    known = dict(stack.rows("SELECT task_id, state FROM syncjobs_syncjob"))
    lost = [task_id for task_id in accepted if task_id not in known]
    what = "accepted syncs while workers, web server and Redis are shot at; the last one ended after calm"
    record("P1", what, len(accepted), Wrong(lost=len(lost)), seconds=slowest)
    assert len(accepted) >= count // 2
    assert lost == []
    assert set(known.values()) <= {"succeeded", "partial"}


def ordered(stack: Stack, number: int) -> str | None:
    """Start a sync of one product; None when nobody said that it was accepted."""
    time.sleep(1 / STARTS_PER_SECOND)
    body = {"type": "full", "sku_list": [str(FIRST_OFFER + number)]}
    answer = stack.api.once("POST", "sync/start", body)
    return answer.json()["data"]["task_id"] if answer is not None and answer.is_success else None


def shoot_until(stack: Stack, over: "Future[Any]") -> None:
    """Shoot at workers, the web server and Redis, one after the other."""
    dice = random.Random(1)
    while not over.done():
        time.sleep(1 + dice.random())
        match dice.choice(("child", "worker", "web", "redis")):
            case "child":
                stack.workers[0].kill_child(dice.randrange(2))
            case "worker":
                stack.workers[0].restart()
            case "web":
                stack.web.restart()
                eventually(stack.api.alive)
            case "redis":
                stack.redis.kill()
                stack.redis.start()
