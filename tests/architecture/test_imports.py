"""The floors of the house, as import-linter reads them from pyproject.toml."""

import subprocess
import sys
from pathlib import Path

from tests.architecture.source import PROJECT


def test_every_import_contract_is_kept() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
