"""The catalogue in Go; built with Debian's compiler and packages where these are installed."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

SOURCES = Path(__file__).parent
# Where Debian puts the sources of Go packages.
GOPATH = "/usr/share/gocode"
TARGET = Path(__file__).resolve().parents[3] / ".devstack" / "bench-gin"
PACKAGES = "golang-go golang-github-gin-gonic-gin-dev golang-github-jackc-pgx-v4-dev"
LAST_CHARACTERS = 300


@cache
def missing() -> str | None:
    """Build the program; returns why that cannot be done."""
    if not shutil.which("go"):
        return f"Go is not installed (Debian: apt-get install {PACKAGES})"
    TARGET.parent.mkdir(exist_ok=True)
    environment = {**os.environ, "GOPATH": GOPATH, "GO111MODULE": "off"}
    done = subprocess.run(
        ["go", "build", "-o", str(TARGET), "."],
        cwd=SOURCES,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return f"go build failed: {done.stderr[-LAST_CHARACTERS:]}" if done.returncode else None


def command(port: int, processes: int) -> list[str]:  # noqa: ARG001 (one process uses all cores)
    """The command line."""
    return [str(TARGET), str(port)]
