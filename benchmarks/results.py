"""What was measured, as it is kept in the results file: nothing in a document comes from anywhere else."""

from pathlib import Path
from statistics import median

import msgspec


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One number with what belongs to it, of one variant in one scenario of one round.

    `rate` is what happened in a second: requests, products or events. `cpu` holds CPU seconds by part of the
    installation, `facts` further numbers by name. `failed` says why there is no number.
    """

    section: str
    scenario: str
    variant: str
    round: int = 0
    rate: float = 0.0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    errors: int = 0
    count: int = 0
    memory_mb: float = 0.0
    cpu: dict[str, float] = {}
    facts: dict[str, float] = {}
    statuses: dict[str, int] = {}
    failed: str = ""


class Results(msgspec.Struct, kw_only=True):
    """One run: where and how, and all its measurements."""

    about: dict[str, str]
    measurements: list[Measurement] = []
    seconds: dict[str, float] = {}


def save(results: Results, path: Path) -> None:
    """Write the file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1))
    draft.replace(path)


def load(path: Path) -> Results:
    """Read a file that `save` wrote."""
    return msgspec.json.decode(path.read_bytes(), type=Results)


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The medians over the rounds; errors are added up."""

    variant: str
    rate: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    errors: int
    count: int
    memory_mb: float
    cpu: dict[str, float]
    facts: dict[str, float]
    statuses: dict[str, int]
    failed: str


def summarize(measurements: list[Measurement]) -> Summary:
    """One line out of the rounds of one variant in one scenario; failed only when every round failed."""
    good = [one for one in measurements if not one.failed] or measurements
    statuses: dict[str, int] = {}
    for one in good:
        for status, count in one.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    return Summary(
        variant=good[0].variant,
        rate=median(one.rate for one in good),
        p50_ms=median(one.p50_ms for one in good),
        p95_ms=median(one.p95_ms for one in good),
        p99_ms=median(one.p99_ms for one in good),
        errors=sum(one.errors for one in good),
        count=sum(one.count for one in good),
        memory_mb=max(one.memory_mb for one in good),
        cpu=_medians([one.cpu for one in good]),
        facts=_medians([one.facts for one in good]),
        statuses=statuses,
        failed=good[0].failed,
    )


def _medians(maps: list[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for one in maps for name in one)
    return {name: median(one.get(name, 0.0) for one in maps) for name in names}
