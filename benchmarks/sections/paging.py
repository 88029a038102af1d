"""How deep a page is must not matter, nor how many products there are: pages by number and by cursor."""

import itertools
from collections.abc import Iterator
from itertools import cycle, islice
from urllib.parse import quote

from benchmarks.bench import Bench, Site
from benchmarks.failures import FAILURES, failure
from benchmarks.peers import BASE, VARIANTS
from benchmarks.section import Section, Shown
from benchmarks.world.facts import WorldFacts

NAME = "paging"
PAGE_SIZE, DEEPEST_ROW = 20, 100_000
CONNECTIONS = 4
TAKING_PART = ("ours", BASE, "gin")
FIRST, THOUSANDTH, DEEPEST, CURSOR = "page-1", "page-1000", "page-deepest", "cursor"
SMALL_FIRST, SMALL_CURSOR = "small-page-1", "small-cursor"
# Cursors from so many places of the list; pages by number from so many beside each other.
CURSORS, NEIGHBOURS = 200, 100
# More requests than are answered in a measurement.
ADDRESSES = 20_000
# A catalogue beside the measured one, to see what size costs.
SMALL_SIZE, SMALL_DATABASE = 10_000, "bench_small"


def run(bench: Bench) -> None:
    """Measure each kind of page of every server, and ours once more in a small catalogue."""
    for turn, variants in bench.rounds():
        for variant in variants:
            if variant.name in TAKING_PART:
                _measure(bench, variant.name, turn)
    if bench.options.size > SMALL_SIZE:
        bench.installation.fresh_database(SMALL_DATABASE)
        small = bench.installation.fill(SMALL_SIZE, SMALL_DATABASE)
        for turn in range(bench.options.rounds):
            _measure(bench, "ours", turn, small)
        bench.installation.drop_database(SMALL_DATABASE)


def _measure(bench: Bench, name: str, turn: int, small: WorldFacts | None = None) -> None:
    scenario = SMALL_FIRST if small else FIRST
    try:
        with bench.serving(VARIANTS[name], SMALL_DATABASE if small else None, small) as site:
            for scenario, paths in _small(site) if small else _scenarios(site):
                load = site.load(respelled(paths, ADDRESSES), CONNECTIONS)
                bench.keep(site.measure(load, section=NAME, scenario=scenario, turn=turn))
    except FAILURES as error:
        bench.keep(failure(NAME, scenario, name, turn, error))


def _scenarios(site: Site) -> Iterator[tuple[str, list[str]]]:
    deepest = _deepest(site.world)
    yield FIRST, [_page(1)]
    yield THOUSANDTH, _around(1000, deepest)
    yield DEEPEST, _around(deepest, deepest)
    if site.variant.ours:
        yield CURSOR, _cursors(site, deepest)


def _small(site: Site) -> Iterator[tuple[str, list[str]]]:
    yield SMALL_FIRST, [_page(1)]
    yield SMALL_CURSOR, _cursors(site, _deepest(site.world))


def _deepest(world: WorldFacts) -> int:
    return max(1, min(DEEPEST_ROW, world.products) // PAGE_SIZE - 1)


def _around(number: int, deepest: int) -> list[str]:
    last = min(number + NEIGHBOURS // 2, deepest)
    return [_page(one) for one in range(max(1, last - NEIGHBOURS), last + 1)]


def _page(number: int) -> str:
    return f"/api/v1/products?page={number}&page_size={PAGE_SIZE}"


def _cursors(site: Site, deepest: int) -> list[str]:
    """Pages by cursor from all over the list; where each goes on is told by the page before it."""
    step = max(1, deepest // CURSORS)
    before = [site.get(_page(number)).json()["data"]["next_cursor"] for number in range(1, deepest + 1, step)]
    return [f"/api/v1/products?page_size={PAGE_SIZE}&cursor={quote(cursor)}" for cursor in before if cursor]


def respelled(paths: list[str], count: int) -> list[str]:
    """The same requests again and again, so many in all, and no address twice.

    Characters of the query string are written as they are or by their codes: every server reads the same, and an
    answer that it keeps by its address is never asked for again.
    """
    return [_spelled(path, number // len(paths)) for number, path in enumerate(islice(cycle(paths), count))]


def _spelled(path: str, number: int) -> str:
    """The path in spelling `number`, each of whose bits stands for a character of the query string."""
    address, _, query = path.partition("?")
    bits = (number >> place & 1 for place in itertools.count())
    written = [f"%{ord(one):02X}" if one not in "=&" and next(bits) else one for one in query]
    return f"{address}?{''.join(written)}"


SECTION = Section(
    name=NAME,
    title="Deep pages",
    about=(
        "Pages of 20 of the list of all products, over 4 connections: the first one, the hundred around the thousandth,"
        " the hundred last ones that are given by number, and two hundred by cursor. Every request spells the address"
        " in another way that means the same, so that no kept answer can serve it: each one is read from the database."
        " The total of so many products is counted by the others with every page. The last tables are the same requests"
        f" in a catalogue of {SMALL_SIZE:,}."
    ),
    run=run,
    tables=(
        Shown(scenario=FIRST, title="Page 1"),
        Shown(scenario=THOUSANDTH, title="Page 1,000"),
        Shown(scenario=DEEPEST, title="The deepest page by number (100,000 rows)"),
        Shown(scenario=CURSOR, title="By cursor, from all over the list", compared_with=FIRST),
        Shown(scenario=SMALL_FIRST, title=f"Page 1 of {SMALL_SIZE:,} products", compared_with=FIRST),
        Shown(scenario=SMALL_CURSOR, title=f"By cursor in {SMALL_SIZE:,} products", compared_with=FIRST),
    ),
    labels={variant.name: variant.label for variant in VARIANTS.values()},
    columns=("rate", "ratio", "p50", "p99", "errors", "memory", "cpu"),
    base=BASE,
    chart=(FIRST, THOUSANDTH, DEEPEST, CURSOR),
)
