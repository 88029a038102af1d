"""What the numbers depend on: the machine, the versions, the settings."""

import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psycopg

from benchmarks.client.driving import program
from benchmarks.options import Options
from benchmarks.world.installation import Installation

PACKAGES = (
    *("django", "djangorestframework", "psycopg", "uvicorn", "uvloop"),
    *("fastapi", "sqlalchemy", "asyncpg", "pydantic"),
)
SETTINGS = ("shared_buffers", "work_mem", "max_connections", "synchronous_commit", "fsync", "jit")


def about(options: Options, installation: Installation) -> dict[str, str]:
    """Name and value of everything worth knowing, in the order it is shown."""
    with psycopg.connect(installation.database_url()) as connection:
        server = connection.info.parameter_status("server_version") or ""
        shown = [f"{name} {connection.execute(f'SHOW {name}').fetchall()[0][0]}" for name in SETTINGS]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": _commit(),
        "machine": f"{processor()}, {len(os.sched_getaffinity(0))} cores, {_memory()} GiB; everything runs on it",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "packages": ", ".join(f"{name} {found}" for name in PACKAGES if (found := _version(name))),
        "PostgreSQL": f"{server}; {', '.join(shown)}",
        "driver": program(),
        "products": f"{options.size:,}",
        "measured": f"{options.rounds} rounds of {options.seconds:g} s, some of {options.few_rounds}",
    }


def processor() -> str:
    """The model of the processor, as the kernel names it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _memory() -> int:
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _commit() -> str:
    if not shutil.which("git"):
        return "unknown"
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
