"""Whether this worker was told to stop: one word of memory that the worker and its pool processes share.

A pool process cannot know what its parent was told. So the worker makes this memory before it forks, and writes into it
when it is told; whoever works looks between two steps, which costs less than a microsecond.
"""

import mmap
import struct
import time

# What is in hand may come to its end this long; then it is given back between two records.
FINISH_SECONDS = 5.0
# Whoever has not come to a step by now is stuck: a thread beside gives the work back and ends the process.
GIVE_BACK_SECONDS = 12.0
# Then the worker itself ends, whatever it waits for.
END_SECONDS = 18.0

_told = mmap.mmap(-1, 8)


def tell() -> None:
    """The worker is to stop; telling it twice is the same as once."""
    if not told():
        # The monotonic clock is the same for all processes of a machine.
        _told[:] = struct.pack("d", time.monotonic())


def told() -> bool:
    """Whether nothing new may be begun."""
    return _told[:] != bytes(8)


def seconds() -> float:
    """How long ago the worker was told; 0 when it was not."""
    return time.monotonic() - struct.unpack("d", _told[:])[0] if told() else 0.0


def forget() -> None:
    """As if nobody had been told: for a new worker in the same process."""
    _told[:] = bytes(8)
