"""The project's own Python, as files and as syntax trees."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
APPS = ("accounts", "products", "syncjobs", "system")
PRODUCT = ("config", *APPS)
EVERYTHING = (*PRODUCT, "devstack", "benchmarks", "tests")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def files(*folders: str) -> list[Path]:
    """Python files below these folders of the project, without migrations (Django writes them)."""
    found = (path for folder in folders for path in sorted((PROJECT / folder).rglob("*.py")))
    return [path for path in found if "migrations" not in path.parts]


def name(path: Path) -> str:
    """A path as people write it."""
    return path.relative_to(PROJECT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(*folders: str) -> Iterator[tuple[Path, Function]]:
    """Every function of these folders with its file."""
    for path in files(*folders):
        for node in ast.walk(tree(path)):
            if isinstance(node, Function):
                yield path, node


def length(function: Function) -> int:
    """Lines of code from the signature to the end; the docstring is the reader's, not the machine's."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        lines -= (docstring.end_lineno or 0) - docstring.lineno + 1
    return lines
