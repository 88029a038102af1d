"""Every text of ours exists in Chinese, with the same placeholders, and the compiled file is the source's."""

import ast
import gettext
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
APPLICATIONS = ("accounts", "config", "devstack", "products", "storefront", "syncjobs", "system", "templates")
MESSAGES = ROOT / "locale/zh_Hans/LC_MESSAGES"
FUNCTIONS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
PLACEHOLDER = re.compile(r"%\(\w+\)[.\d]*[a-z]|\{\w*\}|%[sd]")
STRINGS = r"((?:\"(?:[^\"\\]|\\.)*\"\n?)+)"
ENTRY = re.compile(
    rf"^(?P<flags>(?:#.*\n)*)msgid (?P<id>{STRINGS})(?:msgid_plural {STRINGS})?msgstr(?:\[0\])? (?P<text>{STRINGS})",
    re.MULTILINE,
)
CALL = re.compile(r"\b(?:_|gettext)\(u?(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')\)")


def joined(strings: str) -> str:
    """The text of one or more quoted lines."""
    return "".join(ast.literal_eval(line) for line in strings.strip().splitlines())


@cache
def entries() -> dict[str, tuple[str, str]]:
    """The source file: msgid to (translation, comment lines)."""
    found = ENTRY.finditer((MESSAGES / "django.po").read_text(encoding="utf-8"))
    return {joined(entry["id"]): (joined(entry["text"]), entry["flags"]) for entry in found}


def texts_of_code(path: Path) -> Iterator[str]:
    """The literals a Python file hands to gettext."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in FUNCTIONS and isinstance(node.args[0].value, str):
                yield node.args[0].value


def texts_of_template(path: Path) -> Iterator[str]:
    """The texts a template translates."""
    for literal in CALL.findall(templatize(path.read_text(encoding="utf-8"))):
        yield ast.literal_eval(literal)


def texts() -> dict[str, str]:
    """Every text of ours, with the file it is in."""
    found: dict[str, str] = {}
    for application in APPLICATIONS:
        for path in sorted((ROOT / application).rglob("*.py")):
            if "migrations" not in path.parts:
                found |= dict.fromkeys(texts_of_code(path), str(path))
        for path in sorted((ROOT / application).rglob("*.html")):
            found |= dict.fromkeys(texts_of_template(path), str(path))
    return found


def test_every_text_in_code_and_templates_is_in_the_chinese_catalogue() -> None:
    assert "Syncs of the last seven days" in texts()
    missing = {text: path for text, path in texts().items() if text not in entries()}
    assert not missing, "run `make messages` and translate what is new"


def test_every_entry_is_translated_and_none_is_a_guess() -> None:
    assert len(entries()) > 400
    assert [text for text, (translation, _flags) in entries().items() if not translation] == []
    assert [text for text, (_translation, flags) in entries().items() if text and "fuzzy" in flags] == []


def test_placeholders_survive_the_translation() -> None:
    wrong = [
        text
        for text, (translation, _flags) in entries().items()
        if text and sorted(PLACEHOLDER.findall(text)) != sorted(PLACEHOLDER.findall(translation))
    ]
    assert wrong == []


def test_the_compiled_catalogue_is_the_one_of_the_source() -> None:
    with (MESSAGES / "django.mo").open("rb") as compiled:
        catalogue = gettext.GNUTranslations(compiled)
    for text, (translation, _flags) in entries().items():
        if text:
            assert translation in (catalogue.gettext(text), catalogue.ngettext(text, text, 1)), "run `make messages`"
