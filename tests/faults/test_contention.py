"""P10, P11, P13, P15, P36: many at once, and a source that misbehaves."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.faults.figures import NOTHING_WRONG, SCALE, Wrong, compare, record
from tests.faults.stack import Stack

AT_ONCE = 50
CALLS_PER_SECOND = 50
PROCESSES = 4


def at_once(stack: Stack, body: Any, **headers: str) -> list[httpx.Response]:
    """The same start, so many times in parallel, all of them answered."""

    def ask(_: int) -> httpx.Response:
        answer = stack.api.once("POST", "sync/start", body, **headers)
        while answer is None or answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            time.sleep(0.1)
            answer = stack.api.once("POST", "sync/start", body, **headers)
        return answer

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, range(AT_ONCE)))


def test_of_many_starts_of_one_scope_one_is_accepted(wide_stack: Stack) -> None:
    doubled = 0
    for _ in range(3 * SCALE):
        wide_stack.forget(100)
        # So that the accepted one is still at work when the last caller is answered.
        wide_stack.gateway.faults({"kind": "slow", "seconds": 2})
        answers = at_once(wide_stack, {"type": "full"})
        statuses = Counter(answer.status_code for answer in answers)
        (accepted,) = [answer.json()["data"]["task_id"] for answer in answers if answer.is_success]
        named = {answer.json()["error"]["details"]["task_id"] for answer in answers if answer.is_error}
        doubled += statuses[200] - 1
        assert statuses == {200: 1, 409: AT_ONCE - 1}
        assert named == {accepted}
        wide_stack.gateway.clear_faults()
        assert wide_stack.ended(accepted)["state"] == "succeeded"
    record("P11", f"{AT_ONCE} parallel starts of one scope", 3 * SCALE, Wrong(doubled=doubled))


def test_one_idempotency_key_is_one_job(wide_stack: Stack) -> None:
    wide_stack.forget(100)
    keys = 3 * SCALE
    for number in range(keys):
        body = {"type": "full", "sku_list": [str(600_000_000_000 + number)]}
        answers = at_once(wide_stack, body, Idempotency_Key=f"key-{number}")
        told = {answer.json()["data"]["task_id"] for answer in answers if answer.is_success}
        assert len(told) == 1
        assert {answer.status_code for answer in answers} <= {200, 409}
        other = wide_stack.api.once("POST", "sync/start", {"type": "full"}, Idempotency_Key=f"key-{number}")
        assert other is not None
        assert other.status_code == 422
    jobs = wide_stack.rows("SELECT count(*) FROM syncjobs_syncjob")[0][0]
    record("P10", f"{AT_ONCE} parallel calls with one key", keys, Wrong(doubled=jobs - keys))
    assert jobs == keys


def test_clocks_that_disagree_change_nothing(wide_stack: Stack) -> None:
    products = 300 * SCALE
    expected = wide_stack.quiet_run(products)
    task_id = wide_stack.start_sync()
    wide_stack.workers[0].kill_child(0)
    job, found = wide_stack.ended(task_id), compare(expected, wide_stack.catalogue())
    record("P4", "workers whose clocks are ten minutes apart, one of them killed", 1, found)
    assert (job["state"], job["processed"], found) == ("succeeded", products, NOTHING_WRONG)


def test_a_source_in_trouble_is_read_whole_and_never_too_fast(wide_stack: Stack) -> None:
    products = 600 * SCALE
    expected = wide_stack.quiet_run(products)
    wide_stack.rows("UPDATE syncjobs_source SET calls_per_second = %s", CALLS_PER_SECOND)
    wide_stack.gateway.control("reset", products=products)
    listing = {"api": "alibaba.product.list.get"}
    kinds = ("http_500", "http_502", "truncated_json", "html_body", "reset", "qps")
    wide_stack.gateway.faults(*({"kind": kind, "share": 0.05, **listing} for kind in kinds))
    try:
        job = wide_stack.ended(wide_stack.start_sync())
        busiest = wide_stack.gateway.control("calls")["max_per_second"]
    finally:
        wide_stack.gateway.clear_faults()
        wide_stack.rows("UPDATE syncjobs_source SET calls_per_second = 500")
    found = compare(expected, wide_stack.catalogue())
    note = f"busiest second {busiest} of {CALLS_PER_SECOND} calls allowed"
    record("P15", "a source that fails a third of its calls", 1, found, note=note)
    assert (job["state"], found) == ("succeeded", NOTHING_WRONG)
    # Each process may have one call that was let go in the second before and came late.
    assert busiest <= CALLS_PER_SECOND + PROCESSES
