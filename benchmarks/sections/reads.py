"""Reads: the same requests to every server, in turns."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from benchmarks.bench import Bench, Site
from benchmarks.client.driving import drive
from benchmarks.failures import FAILURES, failure
from benchmarks.peers import BASE, VARIANTS, Variant
from benchmarks.results import Measurement
from benchmarks.section import Section, Shown
from benchmarks.world import searches
from benchmarks.world.facts import WorldFacts
from benchmarks.world.products import PAGE_SIZES

NAME = "reads"
MANY = 1000
# Pages that begin in a category's first so many pages: no address comes twice, so no cache can help.
DEEPEST_PAGE = 40
COMPARED_ANSWERS = 3
WARM_UP_SECONDS, SETTLE_SECONDS = 3.0, 15
# Lists of a length that nothing else asks for.
WARM_UP_REQUESTS, WARM_UP_SIZE = 100, 17
COLUMNS = ("rate", "ratio", "p50", "p99", "errors", "memory", "cpu", "answer")


@dataclass(frozen=True)
class Scenario:
    """One kind of request.

    Attributes:
        paths: what is asked in turn.
        conditional: with If-None-Match and the ETag of the first answer.
        ours_only: others have nothing of the kind; `compared_with` then names what theirs is compared with.
        beside_list: repeated requests; a column has the ratio to the base's list of ever other pages, too.
        for_limited: measured for the user with a limit, too; `for_peers`: for others than the base, too.
        compared: hold the answers of all servers against each other; searches rank, each in its way.
    """

    name: str
    label: str
    paths: Callable[[WorldFacts], list[str]]
    connections: int = 64
    conditional: bool = False
    ours_only: bool = False
    for_limited: bool = True
    for_peers: bool = True
    compared: bool = True
    compared_with: str = ""
    beside_list: bool = False

    def takes(self, variant: Variant) -> bool:
        """Whether a server takes part."""
        if variant.ours:
            return self.for_limited or variant.tier == "premium"
        return not self.ours_only and (self.for_peers or variant.name == BASE)


def list_paths(world: WorldFacts) -> list[str]:
    """Full pages of all categories, shuffled; none twice."""
    paths = [
        f"/api/v1/products?category_id={category}&page={page}&page_size={size}"
        for category, products in world.categories
        for size in PAGE_SIZES
        for page in range(1, min(DEEPEST_PAGE, products // size) + 1)
    ]
    random.Random(1688).shuffle(paths)
    return paths


def _half(number: int) -> Callable[[WorldFacts], list[str]]:
    def half(world: WorldFacts) -> list[str]:
        paths = list_paths(world)
        middle = len(paths) // 2
        return paths[middle:] if number else paths[:middle]

    return half


def _first_page(world: WorldFacts) -> list[str]:
    return [f"/api/v1/products?category_id={world.categories[0][0]}&page=1&page_size=20"]


def _details(world: WorldFacts) -> list[str]:
    return [f"/api/v1/products/{number}" for number in world.product_ids]


def _search(queries: Callable[[], list[str]]) -> Callable[[WorldFacts], list[str]]:
    return lambda _world: [f"/api/v1/products/search?{quote(query, safe='=&')}" for query in queries()]


_SEARCH: dict[str, Any] = {"connections": 8, "for_limited": False, "compared": False}
SCENARIOS = (
    Scenario("list", "List: 20 of a category with the total, every page another one", _half(0)),
    Scenario("list-1000", "The same over 1,000 connections", _half(1), connections=MANY),
    Scenario("list-same", "List: the same page again and again", _first_page, beside_list=True),
    Scenario(
        "list-304",
        "List: unchanged since last asked (If-None-Match)",
        _first_page,
        conditional=True,
        ours_only=True,
        compared_with="list-same",
        beside_list=True,
    ),
    Scenario("detail", "Detail: one product with description and SKUs", _details),
    Scenario(
        "search-two",
        "Search: two characters that many titles have",
        _search(lambda: searches.two_characters()[::2]),
        **_SEARCH,
    ),
    Scenario(
        "search-alone",
        "The same, one client alone",
        _search(lambda: searches.two_characters()[1::2]),
        **{**_SEARCH, "connections": 1},
        ours_only=True,
    ),
    Scenario("search-rare", "Search: a text that few titles have", _search(searches.rare), for_peers=False, **_SEARCH),
    Scenario("search-miss", "Search: a text that no title has", _search(searches.missing), for_peers=False, **_SEARCH),
)


def run(bench: Bench) -> None:
    """Measure every scenario of every server in every round."""
    for turn, variants in bench.rounds():
        for variant in variants:
            scenarios = [scenario for scenario in SCENARIOS if scenario.takes(variant)]
            try:
                with bench.serving(variant) as site:
                    _warm_up(site)
                    for scenario in scenarios:
                        bench.keep(_measured(site, scenario, turn))
            except FAILURES as error:
                for scenario in scenarios:
                    bench.keep(failure(NAME, scenario.name, variant.name, turn, error))


def _warm_up(site: Site) -> None:
    """What a server does once is not measured: it opens connections to the database, and may compile itself."""
    categories = site.world.categories[:WARM_UP_REQUESTS]
    lists = [f"/api/v1/products?category_id={category}&page=1&page_size={WARM_UP_SIZE}" for category, _ in categories]
    load = site.load(_details(site.world)[:WARM_UP_REQUESTS] + lists, 64)
    options = site.bench.options
    drive(msgspec.structs.replace(load, seconds=min(WARM_UP_SECONDS, options.seconds)), here=options.quick)


def _measured(site: Site, scenario: Scenario, turn: int) -> Measurement:
    paths = scenario.paths(site.bench.world)
    try:
        headers, expected = {}, 200
        if scenario.conditional:
            headers, expected = {"If-None-Match": site.get(paths[0]).headers["ETag"]}, 304
        _check_answers(site, scenario, paths[:COMPARED_ANSWERS], expected, headers)
        load = site.load(paths, scenario.connections, good=(expected,), **headers)
        return site.measure(load, section=NAME, scenario=scenario.name, turn=turn, every_status=scenario.conditional)
    except FAILURES as error:
        return failure(NAME, scenario.name, site.variant.name, turn, error)


def _check_answers(site: Site, scenario: Scenario, paths: list[str], expected: int, headers: dict[str, str]) -> None:
    """Hold answers against those of whoever was asked first.

    Raises:
        RuntimeError: another status, or another payload.
    """
    for path in paths:
        answer = _settled_answer(site, path, expected, headers)
        if scenario.compared and expected == 200:
            found = payload(site.variant.data(path, answer.content))
            if site.bench.references.setdefault(path, found) != found:
                raise RuntimeError(f"{path} was answered with other data than by the others")


def _settled_answer(site: Site, path: str, expected: int, headers: dict[str, str]) -> httpx.Response:
    """An answer of a server that may still be busy with what the measurement before left behind.

    Raises:
        RuntimeError: it stays another status.
    """
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        answer = site.get(path, **headers)
        if answer.status_code == expected:
            return answer
        if time.monotonic() > deadline:
            raise RuntimeError(f"{path} was answered with {answer.status_code}")
        time.sleep(0.5)


def payload(data: dict[str, Any]) -> dict[str, Any]:
    """What an answer carries, without the cursor that only some have. 12.0 and 12, as Go spells it, are one number."""
    return {name: data[name] for name in ("items", "total", "page", "page_size", "pages")} if "items" in data else data


SECTION = Section(
    name=NAME,
    title="Reads",
    about=(
        "The same requests, by the same user, to servers with one process a core on the same database. Before each"
        " measurement the answers are held against each other: lists and details carry the same data everywhere. Where"
        " the same page is asked for again, the first ratio is to the same of the others, and the second one, which the"
        " goals are about, to their list of other pages: what a request costs where nobody keeps answers. A server that"
        " leaves most connections without an answer in the time of a measurement is measured ten times as long."
    ),
    run=run,
    tables=tuple(
        Shown(
            scenario=one.name,
            title=f"{one.label} ({one.connections:,} connection{'s' if one.connections > 1 else ''})",
            compared_with=one.compared_with,
            also_compared_with="list" if one.beside_list else "",
            also="ratio to its list of other pages",
        )
        for one in SCENARIOS
    ),
    labels={variant.name: variant.label for variant in VARIANTS.values()},
    columns=COLUMNS,
    base=BASE,
    chart=("list", "list-1000", "list-same", "detail"),
)
