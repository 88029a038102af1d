"""The platform's category tree, walked from its root."""

import logging
from collections.abc import Callable, Iterator

from products.records import CategoryRecord
from syncjobs.connectors.alibaba1688.answers import Category, CategoryAnswer, ChildCategory
from syncjobs.connectors.alibaba1688.fields import is_true
from syncjobs.connectors.alibaba1688.mapping import LARGEST_CATEGORY_ID, NAME_LENGTH
from syncjobs.connectors.coerce import text, whole_number

ROOT = 0
# The platform has three; the rest is a bound for a tree that never ends.
DEEPEST_LEVEL = 8

logger = logging.getLogger(__name__)

Load = Callable[[int], CategoryAnswer]


class CategoryWalk:
    """All categories, parents first, each once; `load` asks the platform for one id.

    The root answers with the first level, whose entries mostly name their children already; only parents that were
    never listed themselves are asked for. An entry without an id is the category that was asked for.
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        self._seen: set[int] = {ROOT}

    def __iter__(self) -> Iterator[CategoryRecord]:
        """Raises what `load` raises; a category without a usable id or name is logged and left out."""
        level = [ROOT]
        for _ in range(DEEPEST_LEVEL):
            unopened: list[int] = []
            for number in level:
                yield from self._opened(number, unopened)
            level = unopened

    def _opened(self, number: int, unopened: list[int]) -> Iterator[CategoryRecord]:
        for entry in filter(None, self._load(number).categories or ()):
            if entry.id is None:
                entry.id = number
            record = _record(entry, number)
            if record is None:
                continue
            yield from self._new(record)
            children = [_record(child, record.id) for child in filter(None, entry.children or ())]
            if not children and record.id != number and not record.is_leaf:
                unopened.append(record.id)
            for child in filter(None, children):
                if not child.is_leaf and child.id not in self._seen:
                    unopened.append(child.id)
                yield from self._new(child)

    def _new(self, record: CategoryRecord) -> Iterator[CategoryRecord]:
        if record.id not in self._seen:
            self._seen.add(record.id)
            yield record


def children_of(answer: CategoryAnswer, number: int) -> tuple[int, ...]:
    """The numbers of the categories right below `number`, which `answer` was asked about."""
    entries = [entry for entry in answer.categories or () if entry]
    children = [child for entry in entries for child in entry.children or () if child]
    is_first_level = number == ROOT and any(_record(entry, ROOT) for entry in entries if entry.id is not None)
    found = [_record(each, number) for each in (entries if is_first_level else children)]
    return tuple(dict.fromkeys(record.id for record in found if record and record.id != number))


def _record(wire: Category | ChildCategory, parent: int) -> CategoryRecord | None:
    try:
        number, name = whole_number(wire.id, LARGEST_CATEGORY_ID), text(wire.name, NAME_LENGTH)
    except ValueError as error:
        logger.warning("category under %s left out: %s", parent, error)
        return None
    if number is None or not (name or number == ROOT):
        logger.warning("category under %s left out: no id or no name", parent)
        return None
    return CategoryRecord(id=number, name=name, parent_id=parent or None, is_leaf=is_true(wire.is_leaf))
