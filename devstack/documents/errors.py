"""docs/errors.md: every error code with its cause and the next step, in both languages."""

from pathlib import Path

from django.utils import translation

from system.errors import ErrorCode

TARGET = Path("docs/errors.md")
MODULES = {
    "00": "General",
    "01": "Products",
    "02": "Sync",
    "03": "Queue and tasks",
    "04": "Accounts",
    "05": "System",
    "06": "Storefront",
}
HEAD = """# Error codes

Every refusal of the API carries one of these in `error.code`; the first two digits name the module. Codes are never
reused or given another meaning; texts may change. An answer may bring a more precise message, and `details` say what
exactly was wrong. Version 1 has the message beside `error`, version 2 inside it. This page is written by `make docs`.
"""
TABLE_HEAD = "| code | status | cause | what to do |\n|---|---|---|---|\n"


def render() -> str:
    """The whole page."""
    return HEAD + "".join(_section(number, title) for number, title in MODULES.items() if _codes(number))


def _codes(module: str) -> list[ErrorCode]:
    return sorted(code for code in ErrorCode if code[1:3] == module)


def _section(module: str, title: str) -> str:
    return f"\n## {title}\n\n{TABLE_HEAD}{''.join(map(_row, _codes(module)))}"


def _row(code: ErrorCode) -> str:
    return f"| `{code}` | {code.status} | {_both(code, 'message')} | {_both(code, 'suggestion')} |\n"


def _both(code: ErrorCode, name: str) -> str:
    texts = []
    for language in ("en", "zh-hans"):
        with translation.override(language):
            texts.append(str(getattr(code, name)))
    return "<br>".join(texts)
