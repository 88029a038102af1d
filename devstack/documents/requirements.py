"""docs/requirements.md: what the project was asked for, and the tests that show it.

`tests/requirements.toml` lists the requirements by the text they stand in and their number there; a test says with
`@pytest.mark.shows("003/FR-002")` which of them it shows.
"""

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

TARGET = Path("docs/requirements.md")
LIST = Path("tests/requirements.toml")
HEAD = """# Requirements

What the project was asked for, and the tests that show it. A requirement without a test fails the build. This page is
written by `make docs` from `tests/requirements.toml` and from the marks of the tests.
"""

Marked = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def requirements() -> dict[str, dict[str, str]]:
    """Texts by number, by the title of what they stand in."""
    return tomllib.loads(LIST.read_text(encoding="utf-8"))


def shown() -> dict[str, list[str]]:
    """Names of the tests by the requirement they show."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(Path("tests").rglob("test_*.py")):
        for number, name in _marks(path):
            found[number].append(name)
    return found


def render() -> str:
    """The whole page."""
    tests = shown()
    return HEAD + "".join(_section(title, numbers, tests) for title, numbers in requirements().items())


def _section(title: str, numbers: dict[str, str], tests: dict[str, list[str]]) -> str:
    rows = [f"| {number} | {text} | {_places(tests.get(number, []))} |\n" for number, text in numbers.items()]
    return f"\n## {title}\n\n| number | requirement | shown by |\n|---|---|---|\n{''.join(rows)}"


def _places(names: list[str]) -> str:
    """At most three tests; the rest by their number."""
    more = f"<br>and {len(names) - 3} more" if len(names) > 3 else ""
    return "<br>".join(f"`{name}`" for name in names[:3]) + more


def _marks(path: Path) -> Iterator[tuple[str, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    of_module = [number for node in tree.body if _is_pytestmark(node) for number in _numbers(node)]
    for node in ast.walk(tree):
        if isinstance(node, Marked) and node.name.lower().startswith("test"):
            own = [number for decorator in node.decorator_list for number in _numbers(decorator)]
            for number in [*of_module, *own]:
                yield number, f"{path}::{node.name}"


def _is_pytestmark(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and any(ast.unparse(target) == "pytestmark" for target in node.targets)


def _numbers(node: ast.AST) -> list[str]:
    calls = [call for call in ast.walk(node) if isinstance(call, ast.Call)]
    marks = [call for call in calls if ast.unparse(call.func) == "pytest.mark.shows"]
    return [str(ast.literal_eval(argument)) for call in marks for argument in call.args]
