"""The project's documents: what they name, and the code blocks they ask to be run."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.architecture.source import PROJECT

DOCUMENTS = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")])

FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


class Block(NamedTuple):
    """A fenced block. `runnable` when the word follows the language: ```sh runnable."""

    language: str
    runnable: bool
    text: str


def blocks(path: Path) -> list[Block]:
    """The fenced blocks of a document, in order."""
    found = FENCE.findall(path.read_text(encoding="utf-8"))
    return [Block(language, "runnable" in words.split(), text) for language, words, text in found]


def spans(path: Path) -> list[str]:
    """The `code spans` of a document's prose."""
    return SPAN.findall(FENCE.sub("", path.read_text(encoding="utf-8")))


def links(path: Path) -> list[str]:
    """Targets of links to other files of the project."""
    return [target for target in LINK.findall(path.read_text(encoding="utf-8")) if "://" not in target]


def code(path: Path) -> Iterator[str]:
    """Everything a document shows as code: spans, and the lines of blocks."""
    yield from spans(path)
    for block in blocks(path):
        yield from block.text.splitlines()
