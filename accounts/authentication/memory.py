"""What a process remembers for a moment, so that a busy caller costs the database one look in that moment."""

from collections.abc import Callable, Hashable
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Memory(Generic[Key, Value]):
    """Values by key, each for a limited time; a new one takes the place of the oldest when `size` is reached."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: dict[Key, tuple[float, Value]] = {}
        self._lock = Lock()

    def recall(self, key: Key, seconds: float) -> Value | None:
        """What was kept under this key in the last `seconds`; None without it."""
        known = self._kept.get(key)
        return known[1] if known and monotonic() - known[0] < seconds else None

    def keep(self, key: Key, value: Value, asked_at: float) -> None:
        """Remember a value.

        Args:
            asked_at: by `monotonic`, before the value was looked up: it may have changed since then.
        """
        with self._lock:
            self._kept.pop(key, None)
            while len(self._kept) >= self._size:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = (asked_at, value)

    def forget(self, unwanted: Callable[[Key, Value], bool]) -> None:
        """Drop what a condition names."""
        with self._lock:
            gone = [key for key, (_, value) in self._kept.items() if unwanted(key, value)]
            for key in gone:
                del self._kept[key]

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._kept.clear()

    def __len__(self) -> int:
        return len(self._kept)
