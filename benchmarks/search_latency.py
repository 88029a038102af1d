"""What searches cost PostgreSQL, by kind: percentiles of the backend's processor time over generated texts.

    DATABASE_URL=… python -m benchmarks.search_latency --texts 60

Texts are made of what the titles of a filled catalogue have: words of two characters by how common they are, longer and
mixed ones, their pinyin and initials, and texts that no title has; each alone, within filters, and with facets. Every
page is asked for with its total, as the API does. Processor time hardly moves when others use the machine; it is read
from Linux, so the server has to run here.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

import django

django.setup()

from benchmarks.backend import Clock  # noqa: E402 (as above)
from products.search.pinyin import readings  # noqa: E402 (as above)
from products.selectors.products import search_facets, search_page  # noqa: E402
from system.sql import fetch_all  # noqa: E402

SAMPLED = 20_000
# Shares of titles that make a word common, and a rare one.
COMMON, RARE = 0.05, 0.002
PAGE_SIZE = 20
Filters = dict[str, Any]


class Corpus(NamedTuple):
    """What titles have: words of two and more characters with the share of titles that have them."""

    two: dict[str, float]
    longer: dict[str, float]


def corpus() -> Corpus:
    """The words of a sample of titles."""
    rows = fetch_all(f"SELECT title FROM products_product TABLESAMPLE SYSTEM (5) LIMIT {SAMPLED}")  # noqa: S608
    two, longer = Counter[str](), Counter[str]()
    for (title,) in rows:
        words = title.split()
        two.update({word[at : at + 2] for word in words for at in range(len(word) - 1) if word.isalpha()})
        longer.update({word for word in words if len(word) > 2})
    return Corpus(*({word: count / len(rows) for word, count in found.items()} for found in (two, longer)))


def texts(found: Corpus, random: Random, most: int) -> dict[str, list[str]]:
    """Texts by kind, up to so many of each."""
    two = {word for word in found.two if all(map(readings, word))}
    bands = {
        "two characters, common": [word for word in two if found.two[word] > COMMON],
        "two characters": [word for word in two if RARE < found.two[word] <= COMMON],
        "two characters, rare": [word for word in two if found.two[word] <= RARE],
        "longer words": list(found.longer),
    }
    chinese = [word for word in found.longer if all(map(readings, word))]
    everything = [*two, *chinese]
    bands |= {
        "two words": [f"{random.choice(sorted(two))} {random.choice(sorted(two))}" for _ in range(most)],
        "pinyin of two": ["".join(readings(char)[0] for char in word) for word in two],
        "pinyin of more": ["".join(readings(char)[0] for char in word) for word in chinese],
        "pinyin, begun": ["".join(readings(char)[0] for char in word)[:-1] for word in everything],
        "initials": ["".join(readings(char)[0][0] for char in word) for word in chinese],
        "mixed": [word[0] + "".join(readings(char)[0] for char in word[1:]) for word in everything],
        "one character": [word[0] for word in two],
        "missing": [f"{random.choice(sorted(two))[::-1]}{random.choice(sorted(two))[1]}" for _ in range(most)],
        "missing, made up": [f"鑫麤骉{number}" for number in range(most)],
        "missing pinyin": [f"zhuangzhuang{number}" for number in range(most)],
    }
    return {kind: random.sample(sorted(set(some)), min(most, len(set(some)))) for kind, some in bands.items() if some}


def narrowings(random: Random) -> dict[str, Callable[[], Filters]]:
    """Filters to search within, by name."""
    categories = [row[0] for row in fetch_all("SELECT DISTINCT category_id FROM products_product")]
    shops = [row[0] for row in fetch_all("SELECT id FROM products_shop LIMIT 1000")]
    brands = fetch_all("SELECT DISTINCT attributes ->> '品牌' FROM products_product TABLESAMPLE SYSTEM (1) LIMIT 50")
    return {
        "": dict,
        " in a band of prices": lambda: _band(random.randrange(2, 300)),
        " in a category": lambda: {"category_id": random.choice(categories)},
        " of a supplier": lambda: {"shop_id": random.choice(shops)},
        " of a brand": lambda: {"attribute": [("品牌", random.choice(brands)[0])]},
        " by price": lambda: {"sort": "price"},
    }


def _band(low: int) -> Filters:
    return {"price_min": low, "price_max": low + 20}


def searched(clock: Clock, filters: Filters, *, facets: bool) -> float:
    """Processor milliseconds of one search."""
    filters = dict(filters)
    sort = filters.pop("sort", "relevance")
    before = clock.milliseconds()
    search_page(filters, sort=sort, limit=PAGE_SIZE)
    if facets:
        search_facets({**filters, "facets": ["category", "price", "shop", "attributes"]})
    return clock.milliseconds() - before


def measurements(most: int, only: str) -> Iterator[tuple[str, list[tuple[float, str]]]]:
    """Kind, and for each text what it cost."""
    random, clock = Random(1688), Clock()
    for kind, some in texts(corpus(), random, most).items():
        for within, narrowed in narrowings(random).items():
            for facets in (False, True):
                name = f"{kind}{within}{' with facets' if facets else ''}"
                if only in name and not (facets and within):
                    yield name, [(searched(clock, {"q": text, **narrowed()}, facets=facets), text) for text in some]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search_latency", description=__doc__.split("\n")[0])
    parser.add_argument("--texts", type=int, default=40, help="of each kind")
    parser.add_argument("--only", default="", help="only kinds with this in their name")
    options = parser.parse_args()
    print(f"{'processor milliseconds of the database':50} {'p50':>7} {'p95':>7} {'max':>7}  dearest")
    for name, costs in measurements(options.texts, options.only):
        costs.sort()
        p50, p95 = (costs[min(len(costs) - 1, int(len(costs) * share))][0] for share in (0.5, 0.95))
        print(f"{name:50} {p50:7.1f} {p95:7.1f} {costs[-1][0]:7.1f}  {costs[-1][1]}", flush=True)


if __name__ == "__main__":
    main()
