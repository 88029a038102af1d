"""Where a running job reports to. The engine knows this protocol only; who listens is the caller's choice."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

EventType = Literal["progress", "log", "finished"]
View = Mapping[str, Any]


class ProgressSink(Protocol):
    """Takes what a job has to tell. No method raises or waits for anybody."""

    def progress(self, job: View) -> None:
        """The job as it stands after a committed batch; may be merged with the next ones."""
        ...

    def log(self, line: View) -> None:
        """A line of the job's log, once it is committed."""
        ...

    def finished(self, job: View) -> None:
        """The job in its final state; never merged or dropped."""
        ...


class NullSink:
    """Nobody listens."""

    def progress(self, job: View) -> None:
        """Ignore it."""

    def log(self, line: View) -> None:
        """Ignore it."""

    def finished(self, job: View) -> None:
        """Ignore it."""


class RecordingSink:
    """Keeps everything in order, for tests."""

    def __init__(self) -> None:
        self.events: list[tuple[EventType, View]] = []

    def progress(self, job: View) -> None:
        """Keep it."""
        self.events.append(("progress", job))

    def log(self, line: View) -> None:
        """Keep it."""
        self.events.append(("log", line))

    def finished(self, job: View) -> None:
        """Keep it."""
        self.events.append(("finished", job))
