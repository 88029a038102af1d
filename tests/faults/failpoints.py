"""Faults built into a real worker from outside: named functions are wrapped, a file says which of them fail, and how.

The file can change while the workers run, so one stack serves many trials. Calls are counted over all processes.
"""

import contextlib
import fcntl
import functools
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import msgspec
from django.db import OperationalError, connection

Kind = Literal["kill", "stop", "database", "disconnect", "error", "sleep"]

# Every step of a batch, from the claim to what follows the commit.
STEPS = (
    "syncjobs.services.batches:claim",
    "syncjobs.services.slices:write_batch",
    "syncjobs.engine.normalize:Normalized.map",
    "syncjobs.services.batches:check_fence",
    "products.catalog:load_fingerprints",
    "products.catalog:apply",
    "syncjobs.services.reject_rows:save",
    "syncjobs.services.walk_memory:remember",
    "syncjobs.services.batches:mark_done",
    "syncjobs.services.batches:count",
    "syncjobs.services.slices:_run",
    "syncjobs.services.jobs:settle",
)
# Other places where something can go wrong.
PLACES = (*STEPS, "syncjobs.services.planning:_write", "products.catalog:delist")


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault at one place.

    Attributes:
        at: one of PLACES.
        after: strikes when the function has returned, not before it begins.
        call: the number of the first call that it strikes; `times` of them follow each other.
        number: only calls with an argument that has this `number`, such as the claim of batch 3.
        seconds: of kind "sleep".
    """

    at: str
    kind: Kind
    after: bool = True
    call: int = 1
    times: int = 1
    number: int | None = None
    seconds: float = 0


class Plan:
    """The faults in force, in a file that every process reads."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "faults.json"
        self._calls = folder / "calls"

    def set(self, *faults: Fault) -> None:
        """Put these in force instead of those before; counting begins anew."""
        self._calls.mkdir(exist_ok=True)
        for counter in self._calls.iterdir():
            counter.unlink()
        draft = self._file.with_suffix(".new")
        draft.write_bytes(msgspec.json.encode(faults))
        draft.replace(self._file)

    @contextmanager
    def of(self, *faults: Fault) -> Iterator[None]:
        """These faults, and none afterwards."""
        self.set(*faults)
        try:
            yield
        finally:
            self.set()

    def struck(self, at: str) -> int:
        """How often the place was called since the plan was set."""
        counter = self._calls / at.replace(":", "-")
        return counter.stat().st_size if counter.exists() else 0

    def faults(self) -> list[Fault]:
        """What is in force now."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=list[Fault])
        except FileNotFoundError:
            return []

    def count(self, at: str) -> int:
        """Count one call; returns its number over all processes."""
        with contextlib.suppress(FileNotFoundError), (self._calls / at.replace(":", "-")).open("ab") as counter:
            fcntl.flock(counter, fcntl.LOCK_EX)
            counter.write(b".")
            counter.flush()
            return os.fstat(counter.fileno()).st_size
        return 0


def install(folder: Path) -> None:
    """Wrap all places in this process; a child inherits it."""
    plan = Plan(folder)
    for place in PLACES:
        module, _, path = place.partition(":")
        *outer, name = path.split(".")
        owner: Any = functools.reduce(getattr, outer, import_module(module))
        setattr(owner, name, _wrapped(plan, place, getattr(owner, name)))


def _wrapped(plan: Plan, place: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        due = [fault for fault in plan.faults() if fault.at == place and _fits(fault, args)]
        number = plan.count(place) if due else 0
        struck = [fault for fault in due if fault.call <= number < fault.call + fault.times]
        for fault in struck:
            if not fault.after:
                _strike(fault)
        result = function(*args, **kwargs)
        for fault in struck:
            if fault.after:
                _strike(fault)
        return result

    return call


def _fits(fault: Fault, args: tuple[Any, ...]) -> bool:
    return fault.number is None or any(getattr(arg, "number", None) == fault.number for arg in args)


def _strike(fault: Fault) -> None:
    match fault.kind:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "database":
            raise OperationalError("a fault of the test")
        case "disconnect":
            if connection.connection is not None:
                connection.connection.close()
        case "error":
            raise RuntimeError("a fault of the test")
        case "sleep":
            time.sleep(fault.seconds)
