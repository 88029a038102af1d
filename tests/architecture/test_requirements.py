"""Every requirement is shown by a test, and every mark names a requirement."""

from devstack.documents import requirements
from tests.architecture.source import PROJECT


def listed() -> set[str]:
    return {number for numbers in requirements.requirements().values() for number in numbers}


def test_every_requirement_is_shown_by_a_test() -> None:
    assert listed() - set(requirements.shown()) == set()


def test_every_mark_names_a_requirement() -> None:
    assert set(requirements.shown()) - listed() == set(), "add it to tests/requirements.toml or correct the mark"


def test_the_page_is_the_generated_one() -> None:
    page = (PROJECT / requirements.TARGET).read_text(encoding="utf-8")
    assert page == requirements.render(), "run `make docs`"
