"""What others call is annotated and says what it does."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture import source

Public = source.Function | ast.ClassDef


def public_names(module: ast.Module) -> Iterator[tuple[str, Public]]:
    """Functions and classes whose names do not begin with an underscore, and such functions of plain classes.

    The functions of a class with a base are mostly the base's hooks, documented there.
    """
    for node in public(module.body):
        yield node.name, node
        if isinstance(node, ast.ClassDef) and not node.bases:
            yield from ((f"{node.name}.{inner.name}", inner) for inner in public(node.body))


def public(body: list[ast.stmt]) -> list[Public]:
    """The public functions and classes of a body."""
    return [node for node in body if isinstance(node, Public) and not node.name.startswith("_")]


def speaks(node: Public) -> bool:
    """Whether it says what it does: by a docstring, by a body of one return, or by naming the model it administers."""
    if ast.get_docstring(node):
        return True
    one_return = len(node.body) == 1 and isinstance(node.body[0], ast.Return)
    return one_return or any("admin.register" in ast.unparse(decorator) for decorator in node.decorator_list)


def undocumented(path: Path) -> list[str]:
    """Public names of a file that do not say what they do."""
    return [f"{source.name(path)} {name}" for name, node in public_names(source.tree(path)) if not speaks(node)]


def unannotated(function: source.Function) -> bool:
    """Whether a parameter other than self, or the result, has no type."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    given = [*named, *filter(None, [arguments.vararg, arguments.kwarg])]
    missing = [argument for argument in given if argument.annotation is None and argument.arg not in ("self", "cls")]
    return bool(missing) or function.returns is None


@pytest.mark.parametrize("folder", [*source.PRODUCT, "devstack"])
def test_every_public_name_says_what_it_does(folder: str) -> None:
    assert [name for path in source.files(folder) for name in undocumented(path)] == []


def test_every_module_says_what_it_holds() -> None:
    modules = [path for path in source.files(*source.EVERYTHING) if source.tree(path).body]
    assert [source.name(path) for path in modules if not ast.get_docstring(source.tree(path))] == []


def test_every_function_is_annotated() -> None:
    found = source.functions(*source.EVERYTHING)
    assert [f"{source.name(path)}:{node.lineno} {node.name}" for path, node in found if unannotated(node)] == []
