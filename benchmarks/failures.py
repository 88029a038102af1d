"""What may go wrong with one variant without ending the run."""

import subprocess

import httpx
import psycopg

from benchmarks.results import Measurement

FAILURES = (RuntimeError, OSError, ValueError, KeyError, httpx.HTTPError, psycopg.Error, subprocess.SubprocessError)


def failure(section: str, scenario: str, variant: str, turn: int, error: Exception) -> Measurement:
    """What is kept in place of a number: the reason."""
    reason = str(error) or type(error).__name__
    return Measurement(section=section, scenario=scenario, variant=variant, round=turn, failed=reason)
