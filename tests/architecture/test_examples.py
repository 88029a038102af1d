"""The documents' runnable blocks do what the documents say, against a live server."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from accounts.services import create_user
from devstack.pytest_plugin import require
from tests.architecture import source
from tests.architecture.documents import DOCUMENTS, blocks

USERS = ("admin", "operator", "viewer")
PASSWORD = "Correct-Horse-1688"

# Each runnable block with the JSON block behind it, the answer it promises.
EXAMPLES = [
    pytest.param(block.text, after.text if after and after.language == "json" else None, id=source.name(document))
    for document in DOCUMENTS
    for block, after in zip(found := blocks(document), [*found[1:], None], strict=True)
    if block.runnable
]


@pytest.fixture
def terminal(tmp_path: Path, live_server: Any) -> Path:
    """A folder like the project's while the demo runs."""
    for user in USERS:
        create_user(username=user, email=f"{user}@example.com", password=PASSWORD, role=user, tier="premium")
    lines = [f"BASE_URL={live_server.url}"]
    lines += [f"{user.upper()}_{key}={value}" for user in USERS for key, value in (("USERNAME", user), ("PASSWORD", PASSWORD))]
    (tmp_path / ".devstack").mkdir()
    (tmp_path / ".devstack" / "env").write_text("\n".join(lines))
    return tmp_path


def shape(value: Any) -> Any:
    """The names in an answer, without its values."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items() if name != "attributes"}
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return ...


@pytest.mark.parametrize(("script", "promised"), EXAMPLES)
def test_an_example_answers_what_it_promises(script: str, promised: str | None, terminal: Path, stored_product: None) -> None:
    if not shutil.which("curl"):
        require("curl is not installed: apt-get install curl")
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=terminal, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if promised:
        assert shape(json.loads(done.stdout)) == shape(json.loads(promised))
