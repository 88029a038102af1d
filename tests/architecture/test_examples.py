"""The documents' runnable blocks do what the documents say, against a live server."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.services import create_user
from devstack.pytest_plugin import require
from tests.architecture import source
from tests.architecture.documents import DOCUMENTS, blocks
from tests.products import records

USERS = ("admin", "operator", "viewer")
PASSWORD = "Correct-Horse-1688"


def examples(document: Path) -> Iterator[Any]:
    """Each runnable block of a document, and the answer that the JSON block behind it promises."""
    shown = blocks(document)
    for number, block in enumerate(shown):
        after = shown[number + 1 : number + 2]
        promised = after[0].text if after and after[0].language == "json" else None
        if block.runnable:
            yield pytest.param(block.text, promised, id=source.name(document))


@pytest.fixture
def terminal(tmp_path: Path, live_server: Any) -> Path:
    """A folder like the project's while the demo runs."""
    for user in USERS:
        create_user(username=user, email=f"{user}@example.com", password=PASSWORD, role=user, tier="premium")
    lines = [f"BASE_URL={live_server.url}"]
    lines += [f"{user.upper()}_USERNAME={user}\n{user.upper()}_PASSWORD={PASSWORD}" for user in USERS]
    (tmp_path / ".devstack").mkdir()
    (tmp_path / ".devstack" / "env").write_text("\n".join(lines))
    return tmp_path


@pytest.fixture
def stored_product(transactional_db: None) -> None:
    """A list needs a row to show."""
    records.apply(records.record())


def shape(value: Any) -> Any:
    """The names in an answer, without its values."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items() if name != "attributes"}
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return ...


@pytest.mark.parametrize(("script", "promised"), [case for document in DOCUMENTS for case in examples(document)])
@pytest.mark.usefixtures("stored_product")
def test_an_example_answers_what_it_promises(script: str, promised: str | None, terminal: Path) -> None:
    if not shutil.which("curl"):
        require("curl is not installed: apt-get install curl")
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=terminal, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if promised:
        assert shape(json.loads(done.stdout)) == shape(json.loads(promised)), done.stdout
