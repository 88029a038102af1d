"""The supervisor, over real processes."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devstack import supervisor
from devstack.supervisor import Command, Supervisor, ending
from tests.conftest import HANG_SECONDS

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]); {SLEEPER}"


def until(condition: Callable[[], object], tick: Callable[[], None] = lambda: None) -> None:
    deadline = time.monotonic() + HANG_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        tick()
        time.sleep(0.01)


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def house(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    monkeypatch.setattr(supervisor, "FIRST_DELAY_SECONDS", 0.0)
    house = Supervisor(lines.append)
    yield house
    house.stop()


def program(folder: Path, code: str, name: str = "sleeper", *, given: bytes = b"", patience: float = 20) -> Command:
    return Command(
        name,
        [sys.executable, "-c", code],
        environment={},
        log=folder / f"{name}.log",
        folder=folder,
        given=given,
        patience_seconds=patience,
    )


def pid(command: Command) -> int:
    assert command._process
    return command._process.pid


def says_up(command: Command) -> bool:
    return command.log.exists() and "up" in command.log.read_text()


def test_a_child_that_is_killed_starts_again_and_a_line_says_so(
    house: Supervisor, lines: list[str], tmp_path: Path
) -> None:
    sleeper = program(tmp_path, SLEEPER)
    house.start(sleeper)
    first = pid(sleeper)
    os.kill(first, signal.SIGKILL)
    until(lambda: sleeper._process and pid(sleeper) != first, house.tick)
    assert sleeper.alive()
    assert f"sleeper ended (killed by SIGKILL), starts again in 0 s; its log: {sleeper.log}" in lines
    assert "sleeper runs again." in lines


def test_a_child_that_keeps_dying_waits_longer_each_time(
    house: Supervisor, lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_DELAY_SECONDS", 0.01)
    house.start(program(tmp_path, "raise SystemExit(3)"))
    until(lambda: len([line for line in lines if "ended" in line]) >= 3, house.tick)
    assert "sleeper ended (exit code 3)" in lines[0]
    assert house._watched[0].delay == pytest.approx(0.08)


def test_children_stop_in_reverse_order(house: Supervisor, tmp_path: Path) -> None:
    stopped = []

    class Noted(Command):
        def stop(self) -> None:
            stopped.append(self.name)
            super().stop()

    for name in ("first", "second"):
        log = tmp_path / f"{name}.log"
        house.start(Noted(name, [sys.executable, "-c", SLEEPER], environment={}, log=log, folder=tmp_path))
    house.stop()
    assert stopped == ["second", "first"]


def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    stubborn = program(tmp_path, STUBBORN, patience=0.1)
    stubborn.start()
    until(lambda: says_up(stubborn))
    number = pid(stubborn)
    stubborn.stop()
    assert not group_lives(number)


def test_a_stopped_child_leaves_no_grandchildren(tmp_path: Path) -> None:
    parent = program(tmp_path, PARENT)
    parent.start()
    until(lambda: says_up(parent))
    group = pid(parent)
    parent.stop()
    until(lambda: not group_lives(group))


def test_a_child_dies_with_its_parent_however_that_dies(tmp_path: Path) -> None:
    code = f"""
import sys, time
from pathlib import Path
from devstack.supervisor import Command
child = Command("child", [sys.executable, "-c", {SLEEPER!r}], environment={{}}, log=Path("child.log"), folder=Path("."))
child.start()
print(child._process.pid, flush=True)
time.sleep(600)
"""
    parent = program(tmp_path, f"import sys; sys.path.insert(0, {str(Path.cwd())!r}); exec({code!r})", "parent")
    parent.start()
    until(lambda: parent.log.exists() and parent.log.read_text().endswith("\n"))
    child = int(parent.log.read_text())
    os.kill(pid(parent), signal.SIGKILL)
    until(lambda: not group_lives(child))
    parent.stop()


def test_a_child_reads_what_it_is_given(tmp_path: Path) -> None:
    reader = program(tmp_path, "import sys; print(sys.stdin.read())", given=b"orders")
    reader.start()
    until(lambda: not reader.alive())
    assert reader.log.read_text() == "orders\n"
    assert reader.exit_code() == 0


@pytest.mark.parametrize(("code", "words"), [(0, "exit code 0"), (-15, "killed by SIGTERM"), (None, "never started")])
def test_an_ending_is_put_into_words(code: int | None, words: str) -> None:
    assert ending(code) == words
