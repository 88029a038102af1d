"""Drives a load with wrk where that is installed, else with our own generator, in a process of its own."""

import subprocess
import sys

import msgspec

from benchmarks.client import generator, wrk
from benchmarks.client.load import Load, Outcome
from devstack.demo.stack import PROJECT

GRACE_SECONDS = 60


def drive(load: Load, *, every_status: bool = False, here: bool = False) -> Outcome:
    """Run a load to its end.

    Args:
        every_status: each status code must be counted, which wrk does not do.
        here: in this process and with each status, where times mean nothing.

    Raises:
        RuntimeError: the program failed.
    """
    if here:
        return generator.drive(load)
    if wrk.available() and not every_status:
        return wrk.drive(load)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.client.generator"],
        input=msgspec.json.encode(load),
        cwd=PROJECT,
        capture_output=True,
        check=False,
        timeout=load.seconds + load.patience + GRACE_SECONDS,
    )
    if done.returncode:
        raise RuntimeError(f"the load generator failed: {done.stderr.decode(errors='replace')[-500:]}")
    return msgspec.json.decode(done.stdout, type=Outcome)


def program() -> str:
    """What drives, for the document."""
    return "wrk" if wrk.available() else "benchmarks/client/generator.py"
