"""How deep a page is must not matter: pages of the list of everything, by number and by cursor."""

from collections.abc import Iterator
from urllib.parse import quote

from benchmarks.bench import Bench, Site
from benchmarks.failures import FAILURES, failure
from benchmarks.peers import BASE, VARIANTS
from benchmarks.section import Section, Shown

NAME = "paging"
PAGE_SIZE, DEEPEST_ROW = 20, 100_000
CONNECTIONS = 4
TAKING_PART = ("ours", BASE, "gin")
FIRST, THOUSANDTH, DEEPEST, CURSOR = "page-1", "page-1000", "page-deepest", "cursor"
# Cursors that go on behind so many pages of the list.
CURSORS = 40


def run(bench: Bench) -> None:
    """Measure each kind of page of every server."""
    for turn, variants in bench.rounds():
        for variant in variants:
            if variant.name not in TAKING_PART:
                continue
            scenario = FIRST
            try:
                with bench.serving(variant) as site:
                    for scenario, paths in _scenarios(site):
                        load = site.load(paths, CONNECTIONS)
                        bench.keep(site.measure(load, section=NAME, scenario=scenario, turn=turn))
            except FAILURES as error:
                bench.keep(failure(NAME, scenario, variant.name, turn, error))


def _scenarios(site: Site) -> Iterator[tuple[str, list[str]]]:
    deepest = _deepest(site.bench)
    yield FIRST, [_page(1)]
    yield THOUSANDTH, [_page(min(1000, deepest))]
    yield DEEPEST, [_page(deepest)]
    if site.variant.ours:
        yield CURSOR, _cursors(site, deepest)


def _deepest(bench: Bench) -> int:
    return max(1, min(DEEPEST_ROW, bench.world.products) // PAGE_SIZE - 1)


def _page(number: int) -> str:
    return f"/api/v1/products?page={number}&page_size={PAGE_SIZE}"


def _cursors(site: Site, deepest: int) -> list[str]:
    """Pages by cursor from all over the list; where each goes on is told by the page before it."""
    step = max(1, deepest // CURSORS)
    before = [site.get(_page(number)).json()["data"]["next_cursor"] for number in range(1, deepest + 1, step)]
    return [f"/api/v1/products?page_size={PAGE_SIZE}&cursor={quote(cursor)}" for cursor in before if cursor]


SECTION = Section(
    name=NAME,
    title="Deep pages",
    about=(
        "Pages of 20 of the list of all products, over 4 connections. The total of so many products is counted by the"
        " others with every page. A cursor goes on behind a product; pages by number end at 100,000 rows."
        " The same few pages are asked for again and again, so whoever keeps answers may give them out of a cache."
    ),
    run=run,
    tables=(
        Shown(scenario=FIRST, title="Page 1"),
        Shown(scenario=THOUSANDTH, title="Page 1,000"),
        Shown(scenario=DEEPEST, title="The deepest page by number (100,000 rows)"),
        Shown(scenario=CURSOR, title="By cursor, from all over the list", compared_with=FIRST),
    ),
    labels={variant.name: variant.label for variant in VARIANTS.values()},
    columns=("rate", "ratio", "p50", "p99", "errors", "database"),
    base=BASE,
    chart=(FIRST, THOUSANDTH, DEEPEST, CURSOR),
)
