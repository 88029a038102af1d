"""What is asked of a server and what came of it, whichever program does the asking."""

import msgspec


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """Requests for `paths` in turn, over so many connections that each wait for their answer.

    Answers with one of the statuses in `good` are no errors; `patience` is how many seconds one may take.
    """

    port: int
    paths: list[str]
    headers: dict[str, str]
    connections: int = 64
    seconds: float = 5
    good: tuple[int, ...] = (200,)
    patience: float = 30


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`statuses` counts answers by status code ("expected" and "other" where the program does not say more); `broken`
    are connections that failed, `timeouts` requests without an answer in time.
    """

    requests: int
    seconds: float
    bytes: int
    statuses: dict[str, int]
    broken: int = 0
    timeouts: int = 0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    max_ms: float = 0.0
    driver: str = ""

    @property
    def rate(self) -> float:
        """Answers a second, whatever their status."""
        return self.requests / self.seconds if self.seconds else 0.0

    def rate_of(self, good: tuple[int, ...]) -> float:
        """Answers a second with one of these statuses."""
        answers = sum(self.statuses.values())
        well = sum(self.statuses.get(name, 0) for name in ("expected", *map(str, good)))
        return self.rate * well / answers if answers else 0.0

    def errors(self, good: tuple[int, ...]) -> int:
        """What was not answered with one of these statuses."""
        well = {"expected", *map(str, good)}
        bad = sum(count for status, count in self.statuses.items() if status not in well)
        return bad + self.broken + self.timeouts
