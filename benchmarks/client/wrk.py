"""The load generator wrk, where it is installed (Debian has it)."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import msgspec

from benchmarks.client.load import Load, Outcome

SCRIPT = Path(__file__).with_name("wrk.lua")
THREADS = 2
# Beyond this something hangs: wrk waits for nobody.
GRACE_SECONDS = 60


class _Printed(msgspec.Struct):
    requests: int
    seconds: float
    bytes: int
    bad_status: int
    broken: int
    timeouts: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


def available() -> bool:
    """Whether wrk is on PATH."""
    return shutil.which("wrk") is not None


def drive(load: Load) -> Outcome:
    """Run wrk.

    Raises:
        RuntimeError: it failed, or printed something else than its result.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".paths") as paths:
        paths.write("\n".join(load.paths) + "\n")
        paths.flush()
        done = subprocess.run(
            command(load, paths.name),
            capture_output=True,
            text=True,
            check=False,
            timeout=load.seconds + load.patience + GRACE_SECONDS,
        )
    if done.returncode:
        raise RuntimeError(f"wrk failed: {done.stderr.strip()}")
    return parse(done.stdout)


def command(load: Load, paths: str) -> list[str]:
    """The command line; it takes whole seconds."""
    headers = [word for name, value in load.headers.items() for word in ("-H", f"{name}: {value}")]
    return [
        "wrk",
        f"--threads={min(THREADS, load.connections)}",
        f"--connections={load.connections}",
        f"--duration={max(1, round(load.seconds))}s",
        f"--timeout={round(load.patience)}s",
        f"--script={SCRIPT}",
        *headers,
        f"http://127.0.0.1:{load.port}",
        "--",
        paths,
    ]


def parse(printed: str) -> Outcome:
    """The outcome out of what wrk printed; our script's line is the last one with a brace.

    Raises:
        RuntimeError: there is none.
    """
    lines = [line for line in printed.splitlines() if line.startswith("{")]
    if not lines:
        raise RuntimeError(f"wrk printed no result: {printed[-500:]}")
    found = msgspec.json.decode(lines[-1], type=_Printed)
    return Outcome(
        requests=found.requests,
        seconds=found.seconds,
        bytes=found.bytes,
        statuses={"expected": found.requests - found.bad_status, "other": found.bad_status},
        broken=found.broken,
        timeouts=found.timeouts,
        p50_ms=found.p50_ms,
        p95_ms=found.p95_ms,
        p99_ms=found.p99_ms,
        max_ms=found.max_ms,
        driver="wrk",
    )
