"""Snapshots are shared and never stand in the way of an ending socket."""

import asyncio
import threading
from collections import Counter

import pytest

from syncjobs.hub import Stream
from syncjobs.snapshots import in_database


async def test_waiting_for_the_database_can_be_cancelled() -> None:
    entered, may_end = threading.Event(), threading.Event()

    def slow() -> None:
        entered.set()
        may_end.wait()

    waiting = asyncio.create_task(in_database(slow))
    await asyncio.to_thread(entered.wait)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    may_end.set()


async def test_who_asks_while_a_snapshot_loads_shares_the_next_one() -> None:
    entered, may_end, loads = threading.Event(), threading.Event(), Counter[str]()

    def load() -> str:
        loads["job"] += 1
        entered.set()
        may_end.wait()
        return f"load {loads['job']}"

    async def newest(_stream: Stream) -> int:
        return 1688

    stream = Stream("job:1", load, newest)
    first = asyncio.create_task(stream.snapshot())
    await asyncio.to_thread(entered.wait)
    later = [asyncio.create_task(stream.snapshot()) for _ in range(100)]
    await asyncio.sleep(0)
    may_end.set()
    assert (await first).text == '{"type":"snapshot","seq":1688,"data":"load 1"}'
    assert {event.text for event in await asyncio.gather(*later)} == {'{"type":"snapshot","seq":1688,"data":"load 2"}'}
