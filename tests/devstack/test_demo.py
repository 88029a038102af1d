"""`make demo` as people run it, with a smaller catalogue."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from devstack.processes import free_port
from tests.conftest import HANG_SECONDS, eventually

PROJECT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from pathlib import Path
from devstack.demo import run, stack
from devstack.demo.interruption import Interruption
stack.PRODUCTS = 300
sys.exit(run.main(Interruption(), Path(sys.argv[1])))
"""


class House(NamedTuple):
    """Where demos keep their data, and their settings."""

    folder: Path
    port: int

    def start(self, **settings: str) -> "subprocess.Popen[bytes]":
        """Start a demo whose output goes to `output`."""
        ours = {
            name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")
        }
        with self.output.open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(self.folder)],
                env={**ours, "PORT": str(self.port), **settings},
                cwd=PROJECT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def run(self) -> str:
        """Run a one-shot demo to its end; what it printed."""
        assert self.start(ONESHOT="1").wait(HANG_SECONDS) == 0, self.said()
        return self.said()

    @property
    def output(self) -> Path:
        """What the last demo printed."""
        return self.folder.parent / "output"

    def said(self) -> str:
        """The same as text."""
        return self.output.read_text()


@pytest.fixture(scope="module")
def house(open_folder: Path) -> House:
    """A place whose catalogue one run has filled."""
    house = House(open_folder / "devstack", free_port())
    assert "created 300 · updated 0 · unchanged 0 · rejected 0" in house.run()
    return house


@pytest.fixture(scope="module")
def serving(house: House) -> Iterator["subprocess.Popen[bytes]"]:
    """A second demo that serves; the last test ends it."""
    demo = house.start()
    eventually(lambda: "Ctrl-C stops everything" in house.said() or demo.poll() is not None)
    yield demo
    demo.kill()
    demo.wait()


def settings_of(house: House) -> dict[str, str]:
    lines = (house.folder / "env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_a_one_shot_demo_leaves_nothing_running(house: House) -> None:
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{house.port}/health")
    assert not (house.folder / "env").exists()


def test_a_second_demo_finds_everything_unchanged(house: House, serving: "subprocess.Popen[bytes]") -> None:
    assert "created 0 · updated 0 · unchanged 300 · rejected 0" in house.said(), house.said()


def test_scripts_find_what_they_need(house: House, serving: "subprocess.Popen[bytes]") -> None:
    assert (house.folder / "env").stat().st_mode & 0o777 == 0o600
    settings = settings_of(house)
    login = {"username": settings["VIEWER_USERNAME"], "password": settings["VIEWER_PASSWORD"]}
    answer = httpx.post(f"{settings['BASE_URL']}/api/v1/auth/login", json=login, timeout=HANG_SECONDS)
    assert answer.status_code == httpx.codes.OK


def test_a_folder_has_one_demo_at_a_time(house: House, serving: "subprocess.Popen[bytes]") -> None:
    second = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(house.folder)],
        env=os.environ | {"PORT": str(free_port())},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (second.returncode, second.stderr) == (1, "A demo already runs from this folder; stop it first.\n")
    assert serving.poll() is None


def test_a_taken_port_is_a_sentence(house: House, serving: "subprocess.Popen[bytes]") -> None:
    other = House(house.folder.parent / "other" / "devstack", house.port)
    other.folder.parent.mkdir()
    assert other.start().wait(HANG_SECONDS) == 1
    assert other.said() == f"Port {house.port} is taken; choose another: make demo PORT={house.port + 1}\n"


def test_sigterm_stops_everything(house: House, serving: "subprocess.Popen[bytes]") -> None:
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(HANG_SECONDS) == 0
    assert house.said().endswith("Stopping ...\n")
    assert not (house.folder / "env").exists()
