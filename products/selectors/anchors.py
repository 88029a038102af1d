"""Where every thousandth row of a long list stands, so that a deep page skips a few rows instead of all before it.

A process remembers that under the stamp of the list: one walk along the index, as long as the page is deep, and
whatever page is asked for then costs what the first one does. Places are right as long as the stamp is the one they go
by, which is known only afterwards: whoever reads by them looks at the stamp again.
"""

import threading

from cachetools import LRUCache

from products.selectors.listing import Order, Place, Selection, steps_query
from system.sql import fetch_all

SPACING = 1_000
# Of 100 rows each, about 10 KB.
_MOST_LISTS = 64

_lists: LRUCache[str, tuple[Place, ...]] = LRUCache(_MOST_LISTS)
_lock = threading.Lock()


def nearest(stamp: str, taken: Selection, order: Order, *, descending: bool, offset: int) -> tuple[Place | None, int]:
    """The last remembered row before a page, None for the beginning, and how many rows there are between the two.

    Args:
        stamp: that of the list, read before.
        taken: has to leave rows that an index gives in this order.
    """
    name, number = repr((stamp, taken, order, descending)), offset // SPACING
    known = _known(name)
    if len(known) < number:
        start = known[-1] if known else None
        walk = steps_query(taken, order, descending=descending, step=SPACING, start=start)
        known += tuple((row[0], row[1]) for row in fetch_all(walk.sql, [*walk.parameters, number - len(known)]))
        _remember(name, known)
    before = known[:number]
    return (before[-1], offset - len(before) * SPACING) if before else (None, offset)


def _known(name: str) -> tuple[Place, ...]:
    with _lock:
        return _lists.get(name, ())


def _remember(name: str, places: tuple[Place, ...]) -> None:
    with _lock:
        _lists[name] = places


def forget() -> None:
    """Begin anew, as a new process does."""
    with _lock:
        _lists.clear()
