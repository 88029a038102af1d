"""What a request may take over from another: what was read after it had arrived, and nothing older."""

from itertools import count
from time import monotonic

from system.arrival import Readings, arrival_scope


def test_what_was_read_after_a_request_arrived_is_good_for_it() -> None:
    numbers, readings = count(), Readings[str, int](10)
    arrived = monotonic()
    with arrival_scope(None):
        assert readings.read("a", numbers.__next__) == 0
    with arrival_scope(arrived):
        assert readings.read("a", numbers.__next__) == 0


def test_what_was_begun_before_is_read_again() -> None:
    numbers, readings = count(), Readings[str, int](10)
    with arrival_scope(None):
        readings.read("a", numbers.__next__)
    with arrival_scope(None):
        assert readings.read("a", numbers.__next__) == 1


def test_a_reading_counts_from_its_beginning() -> None:
    """Who arrives while it is under way may have committed what it did not see."""
    numbers, readings, arrived = count(), Readings[str, int](10), list[float]()

    def slow() -> int:
        arrived.append(monotonic())
        return next(numbers)

    with arrival_scope(None):
        readings.read("a", slow)
    with arrival_scope(arrived[0]):
        assert readings.read("a", slow) == 1


def test_within_one_request_it_is_read_once() -> None:
    numbers, readings = count(), Readings[str, int](10)
    with arrival_scope(None):
        assert [readings.read("a", numbers.__next__) for _ in range(3)] == [0, 0, 0]
        assert readings.read("b", numbers.__next__) == 1


def test_outside_of_requests_it_is_always_read() -> None:
    numbers, readings = count(), Readings[str, int](10)
    assert [readings.read("a", numbers.__next__) for _ in range(3)] == [0, 1, 2]


def test_what_is_remembered_is_bounded() -> None:
    numbers, readings = count(), Readings[int, int](2)
    with arrival_scope(None):
        for key in range(3):
            readings.read(key, numbers.__next__)
        assert readings.read(0, numbers.__next__) == 3
