"""The limiter itself: against a real Redis, by whose clock it counts."""

from itertools import pairwise
from math import ceil

import pytest

from system.api.throttling import limiter as limiting
from system.api.throttling.limiter import Bucket, Limiter, Verdict
from system.api.throttling.rates import Rate, parse_rate
from system.redis import redis_client
from tests.redis_clock import RedisClock, read_by

HOUR = Rate(5, 3600, 5)


@pytest.fixture
def limiter() -> Limiter:
    return Limiter()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> RedisClock:
    """The limiter counts by it."""
    monkeypatch.setattr(limiting, "_SCRIPT", read_by(limiting._SCRIPT))
    return RedisClock(redis_client("limits"))


def take(limiter: Limiter, *buckets: Bucket) -> Verdict:
    verdict = limiter.take(list(buckets))
    assert verdict
    return verdict


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("100/hour", Rate(100, 3600, 100)),
        ("10 / second", Rate(10, 1, 10)),
        ("1000/day, burst 20", Rate(1000, 86_400, 20)),
        ("30/minute burst 3", Rate(30, 60, 3)),
        ("unlimited", None),
    ],
)
def test_a_rate_is_text(text: str, rate: Rate | None) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text", ["", "100", "0/hour", "-1/hour", "100/month", "1e3/hour", "5/hour, burst 6", "9999999/day", "١/hour"]
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"rate|at most"):
        parse_rate(text)


@pytest.mark.shows("001/6.2.2")
def test_the_limit_passes_and_nothing_more(limiter: Limiter) -> None:
    bucket = Bucket("user", "1", HOUR)
    verdicts = [take(limiter, bucket) for _ in range(8)]
    assert [verdict.allowed for verdict in verdicts] == [True] * 5 + [False] * 3
    assert [verdict.tightest.remaining for verdict in verdicts] == [4, 3, 2, 1, 0, 0, 0, 0]


def test_what_it_says_of_time_adds_up(limiter: Limiter, clock: RedisClock) -> None:
    bucket = Bucket("user", "1", HOUR)
    passed = [take(limiter, bucket) for _ in range(5)]
    assert [(verdict.tightest.reset, verdict.tightest.wait) for verdict in passed] == [(3600, 0)] * 5
    clock.advance(10)
    refused = take(limiter, bucket)
    assert refused.now == ceil(clock.now)
    assert (refused.tightest.wait, refused.tightest.reset) == (3590, 3590)


def passing(limiter: Limiter, clock: RedisClock, bucket: Bucket, seconds: float, every: float) -> list[float]:
    """When requests pass of somebody who asks all the time."""
    passed, until = list[float](), clock.now + seconds
    while clock.now < until:
        if take(limiter, bucket).allowed:
            passed.append(clock.now)
        clock.advance(every)
    return passed


def test_no_window_holds_more_than_the_limit(limiter: Limiter, clock: RedisClock) -> None:
    """Wherever the window begins."""
    passed = passing(limiter, clock, Bucket("user", "1", Rate(4, 1, 4)), seconds=5, every=0.007)
    assert len(passed) >= 16
    assert all(later - first > 1 - 0.001 for first, later in zip(passed, passed[4:], strict=False))


def test_who_waits_as_told_passes(limiter: Limiter, clock: RedisClock) -> None:
    bucket = Bucket("user", "1", Rate(2, 1, 2))
    refusals = 0
    for _ in range(9):
        while not (verdict := take(limiter, bucket)).allowed:
            refusals += 1
            clock.advance(verdict.tightest.wait)
            assert take(limiter, bucket).allowed
            break
    assert refusals


def test_a_burst_is_smoothed_to_the_pace_of_the_rate(limiter: Limiter, clock: RedisClock) -> None:
    bucket = Bucket("user", "1", Rate(36_000, 3600, 2))
    assert [take(limiter, bucket).allowed for _ in range(2)] == [True, True]
    times = passing(limiter, clock, bucket, seconds=1, every=0.003)
    assert len(times) >= 8
    assert all(later - earlier > 0.1 - 0.001 for earlier, later in pairwise(times))


def test_a_refused_request_is_taken_from_none_of_its_buckets(limiter: Limiter) -> None:
    wide, narrow = Bucket("user", "1", HOUR), Bucket("export", "1", Rate(1, 3600, 1))
    assert take(limiter, wide, narrow).allowed
    refused = [take(limiter, wide, narrow) for _ in range(5)]
    assert {(verdict.allowed, verdict.tightest.name) for verdict in refused} == {(False, "export")}
    assert [standing.remaining for standing in refused[-1].standings] == [4, 0]
    assert take(limiter, wide).tightest.remaining == 3


def test_the_tightest_bucket_speaks_for_all(limiter: Limiter) -> None:
    wide, narrow = Bucket("user", "1", HOUR), Bucket("export", "1", Rate(3, 60, 3))
    assert take(limiter, wide, narrow).tightest.name == "export"


def test_owners_names_and_windows_are_apart(limiter: Limiter) -> None:
    for bucket in (
        Bucket("user", "1", HOUR),
        Bucket("user", "2", HOUR),
        Bucket("ip", "1", HOUR),
        Bucket("user", "1", Rate(5, 60, 5)),
    ):
        assert take(limiter, bucket).tightest.remaining == 4


def test_another_limit_counts_what_was_used_before(limiter: Limiter) -> None:
    for _ in range(4):
        take(limiter, Bucket("user", "1", HOUR))
    assert not take(limiter, Bucket("user", "1", Rate(3, 3600, 3))).allowed
    assert take(limiter, Bucket("user", "1", Rate(100, 3600, 100))).tightest.remaining == 95


def test_redis_forgets_what_no_longer_counts(limiter: Limiter) -> None:
    bucket = Bucket("user", "1", Rate(3, 1, 3))
    take(limiter, bucket)
    client = redis_client("limits")
    assert 0 < int(str(client.pttl(bucket.key))) <= 2001
    assert int(str(client.memory_usage(bucket.key))) < 300


def test_a_busy_bucket_stays_small(limiter: Limiter, clock: RedisClock) -> None:
    bucket = Bucket("user", "1", Rate(10_000, 1, 10_000))
    passing(limiter, clock, bucket, seconds=2, every=0.002)
    assert int(str(redis_client("limits").memory_usage(bucket.key))) < 1500
