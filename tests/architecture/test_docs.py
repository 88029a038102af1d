"""What the documents name exists."""

import json
import math
import re
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import Resolver404, resolve
from django.utils import translation

from devstack.documents import errors
from system.errors import ErrorCode
from tests.architecture import source
from tests.architecture.documents import DOCUMENTS, blocks, code, links, spans
from tests.architecture.source import PROJECT

FILE = re.compile(r"[\w.*/-]+\.(?:py|md|toml|txt|yaml|lock|json|ndjson|lua|po)|[\w.-]+(?:/[\w.-]+)*/")
VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
READ_BY_SETTINGS = re.compile(r'\b(?:text|integer|boolean|words|url|server)\(\s*"([A-Z0-9_]+)"')
READ_BY_PROGRAMS = re.compile(r'environ(?:ment)?(?:\.get\(|\.setdefault\(|\[)\s*"([A-Z0-9_]+)"')
# Read by programs of others, or by compose.yaml.
FOREIGN_VARIABLES = {"REMAP_SIGTERM", "POSTGRES_PASSWORD", "REDIS_PASSWORD"}
# Names that exist only while something runs.
RUNTIME = (".devstack/", ".env", ".venv")
HTTP_ROUTE = re.compile(r"/api/v1(?:/[\w{}-]+)+")

everywhere = pytest.mark.parametrize("document", DOCUMENTS, ids=source.name)


def variables(pattern: re.Pattern[str], *folders: str) -> set[str]:
    """Names of environment variables that the code of these folders reads."""
    return {name for path in source.files(*folders) for name in pattern.findall(path.read_text(encoding="utf-8"))}


def exists(name: str) -> bool:
    """Whether a path is in the project, or a bare name in one of the apps; `*` stands for any name."""
    in_an_app = any(any((PROJECT / app).glob(f"**/{name}")) for app in source.APPS)
    return name.startswith(RUNTIME) or in_an_app or any(PROJECT.glob(name.rstrip("/")))


@everywhere
def test_every_link_leads_somewhere(document: Path) -> None:
    assert [target for target in links(document) if not (document.parent / target).exists()] == []


@everywhere
def test_every_path_exists(document: Path) -> None:
    named = [span for span in spans(document) if FILE.fullmatch(span)]
    assert [name for name in named if not exists(name)] == []


@everywhere
def test_every_make_target_exists(document: Path) -> None:
    known = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = {target for text in code(document) for target in re.findall(r"\bmake ([a-z]+)\b", text)}
    assert named - known == set()


@everywhere
def test_every_command_exists(document: Path) -> None:
    named = {name for text in code(document) for name in re.findall(r"manage\.py ([a-z_0-9]+)", text)}
    assert named - set(get_commands()) == set()


@everywhere
def test_every_variable_is_read_by_something(document: Path) -> None:
    users = {f"{user}_{part}" for user in ("ADMIN", "OPERATOR", "VIEWER") for part in ("USERNAME", "PASSWORD")}
    demo = {"APP_KEY", "APP_SECRET", "ACCESS_TOKEN", "REFRESH_TOKEN", "GATEWAY_URL", "BASE_URL", "ONESHOT"}
    settings = variables(READ_BY_SETTINGS, "config") | variables(READ_BY_PROGRAMS, "config", "syncjobs")
    named = {span for span in spans(document) if VARIABLE.fullmatch(span)}
    assert named - settings - users - demo - FOREIGN_VARIABLES == set()


@everywhere
def test_every_route_answers(document: Path) -> None:
    named = {route for text in code(document) for route in HTTP_ROUTE.findall(text)}
    assert [route for route in named if not answers(re.sub(r"{\w+}", "1", route))] == []


def answers(route: str) -> bool:
    """Whether the route table knows it."""
    try:
        resolve(route)
    except Resolver404:
        return False
    return True


@everywhere
def test_every_json_block_is_json(document: Path) -> None:
    for block in blocks(document):
        if block.language == "json":
            json.loads(block.text)


def test_the_table_of_settings_is_complete() -> None:
    table = set(re.findall(r"`([A-Z0-9_]+)`", "".join(rows_of(PROJECT / "docs" / "operations.md"))))
    read = variables(READ_BY_SETTINGS, "config")
    assert (read - table, table - read) == (set(), set())


def test_the_table_of_settings_tells_the_defaults() -> None:
    """Numbers only: a default of text is often described instead of repeated."""
    shown = dict(
        re.findall(r"^\| `([A-Z_]+)` \| (\d+) \|", (PROJECT / "docs" / "operations.md").read_text(), re.MULTILINE)
    )
    code = "".join(path.read_text(encoding="utf-8") for path in source.files("config"))
    real = dict(re.findall(r'integer\(\s*"([A-Z_]+)", ([\d_ *]+)', code))
    assert {name: int(text) for name, text in shown.items()} == {
        name: math.prod(map(int, real[name].split("*"))) for name in shown
    }


def test_the_page_of_error_codes_is_the_generated_one() -> None:
    listed = (PROJECT / errors.TARGET).read_text(encoding="utf-8")
    assert listed == errors.render(), "run `make docs`"


@pytest.mark.parametrize("code", ErrorCode)
def test_every_error_code_is_told_in_both_languages(code: ErrorCode) -> None:
    for text in (code.message, code.suggestion):
        with translation.override("zh-hans"):
            chinese = str(text)
        assert re.search(r"[\u4e00-\u9fff]", chinese), chinese


def rows_of(document: Path) -> list[str]:
    """First and second cells of the rows of the document's first table."""
    text = document.read_text(encoding="utf-8").partition("| variable |")[2].partition("\n\n")[0]
    return [row.split("|")[1] for row in text.splitlines() if row.startswith("|")]


def test_the_example_file_names_only_known_settings() -> None:
    named = set(re.findall(r"^#?([A-Z0-9_]+)=", (PROJECT / ".env.example").read_text(), re.MULTILINE))
    assert named - variables(READ_BY_SETTINGS, "config") - FOREIGN_VARIABLES == set()
