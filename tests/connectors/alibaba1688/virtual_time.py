"""A clock that workers of the call gate share, which only moves when all of them sleep."""

import heapq
import random
import threading
from collections.abc import Callable
from itertools import count

import pytest
import redis

from syncjobs.connectors.alibaba1688 import quota, quota_scripts
from tests.redis_clock import RedisClock, read_by

LATENESS_SECONDS = 0.002


class VirtualTime(RedisClock):
    """Who sleeps gives way to whoever wakes first, a little late as on any machine; nobody really waits."""

    def __init__(self, client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(client)
        self._sleepers: list[tuple[float, int, threading.Event]] = []
        self._number = count()
        self._dice = random.Random(1688)
        self._trouble: list[BaseException] = []
        for name in ("TAKE", "BEGIN", "REFUSED", "PAUSE"):
            monkeypatch.setattr(quota, name, read_by(getattr(quota_scripts, name)))

    def sleep(self, seconds: float) -> None:
        """Give way for so long."""
        awake = self._awake_in(seconds)
        self._give_way()
        awake.wait()

    def run(self, *workers: Callable[[], None]) -> None:
        """Let each of them work on a thread of its own until all are done; raises what one of them raised."""
        threads = [threading.Thread(target=self._work, args=(work, self._awake_in(0))) for work in workers]
        for thread in threads:
            thread.start()
        self._give_way()
        for thread in threads:
            thread.join()
        if self._trouble:
            raise self._trouble[0]

    def _work(self, work: Callable[[], None], awake: threading.Event) -> None:
        awake.wait()
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again by `run`
            self._trouble.append(error)
        finally:
            self._give_way()

    def _awake_in(self, seconds: float) -> threading.Event:
        awake = threading.Event()
        moment = self.now + seconds + self._dice.random() * LATENESS_SECONDS
        heapq.heappush(self._sleepers, (moment, next(self._number), awake))
        return awake

    def _give_way(self) -> None:
        if self._sleepers:
            moment, _, awake = heapq.heappop(self._sleepers)
            self.set(max(self.now, moment))
            awake.set()
