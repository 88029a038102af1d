"""Version stamps: whether what lists show is still what it was, and how many products they show, without reading one.

A scope is a category (the products filed right there), WHOLE or NAMES. Whoever changes what lists show raises the
scopes concerned in the same transaction, so a reader that finds a stamp as it was has missed nothing.

A scope has a row for each writer of those that run at the same time (`shard`), and readers sum over them: a writer
takes the lowest shard nobody else holds until its transaction ends, so writers neither wait for each other nor lock in
a circle. Versions are microseconds of the clock and grow at least by one, so numbers that a restored dump takes back
do not come again with another meaning.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from django.db import transaction

from products.ingest.models import ProductStamp
from products.models import Product, ProductChange
from system.sql import array, execute

# What a change line tells: product, kind, {field: [before, after]}.
Line = tuple[int, ProductChange.Kind, dict[str, Any]]
# Category and status of a product.
Added = tuple[int | None, str]

KIND = ProductChange.Kind
PUBLISHED = Product.Status.PUBLISHED.value
# More than most servers take connections; whoever finds all of them held shares the last one and waits for its turn.
SHARDS = 255
# Columns of what lines tell, as the statement takes them.
_TOLD = 5
# First word of the advisory locks on shards.
SHARD_LOCK = 1689

_NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_RAISE = f"""
    INSERT INTO products_stamp AS s (scope, shard, version, products, published)
    SELECT r.scope, coalesce((SELECT shard FROM turn), {SHARDS}), {_NOW}, r.products, r.published
    FROM raised r ORDER BY r.scope
    ON CONFLICT (scope, shard) DO UPDATE SET version = greatest(s.version + 1, excluded.version),
        products = s.products + excluded.products, published = s.published + excluded.published
"""  # noqa: S608 - constants only, here and below
_TURN = f"""
    turn AS (
        SELECT shard FROM generate_series(0, {SHARDS - 1}) AS shard
        WHERE pg_try_advisory_xact_lock({SHARD_LOCK}, shard) LIMIT 1
    )
"""  # noqa: S608
# The rows are read as they are now, and the lines tell what they were before.
_PRODUCTS_CHANGED = f"""
    WITH line AS (
        SELECT * FROM unnest(%s::bigint[], %s::bool[], %s::bool[], %s::bigint[], %s::text[])
            AS l (id, was_shown, was_moved, category_before, status_before)
    ), change AS (
        SELECT p.category_id AS category, p.status, p.deleted_at IS NULL AS shown,
            CASE WHEN l.was_moved THEN l.category_before ELSE p.category_id END AS category_before,
            coalesce(l.status_before, p.status) AS status_before,
            coalesce(l.was_shown, p.deleted_at IS NULL) AS shown_before
        FROM line l JOIN products_product p ON p.id = l.id
    ), side AS (
        SELECT category, 1 AS products, (status = 'published')::int AS published FROM change WHERE shown
        UNION ALL
        SELECT category_before, -1, -(status_before = 'published')::int FROM change WHERE shown_before
        UNION ALL
        SELECT nullif(category, {ProductStamp.WHOLE}), products, published
        FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS a (category, products, published)
    ), raised AS (
        SELECT CASE GROUPING(category) WHEN 0 THEN category ELSE {ProductStamp.WHOLE} END AS scope,
            sum(products)::bigint AS products, sum(published)::bigint AS published
        FROM side GROUP BY GROUPING SETS ((category), ())
        HAVING count(*) > 0 AND (GROUPING(category) = 1 OR category IS NOT NULL)
    ), {_TURN} {_RAISE}
"""  # noqa: S608
_NAMES_CHANGED = f"""
    WITH raised AS (SELECT {ProductStamp.NAMES} AS scope, 0 AS products, 0 AS published), {_TURN} {_RAISE}
"""
_COUNTED = """
    SELECT coalesce(category_id, 0) AS scope, count(*) AS products,
        count(*) FILTER (WHERE status = 'published') AS published
    FROM products_product WHERE deleted_at IS NULL AND category_id IS NOT NULL GROUP BY category_id
    UNION ALL
    SELECT 0, count(*), count(*) FILTER (WHERE status = 'published') FROM products_product WHERE deleted_at IS NULL
    UNION ALL SELECT -1, 0, 0
"""
# No row goes, so no sum falls; the first shard says the number, the others nothing.
_RESET = f"""
    UPDATE products_stamp SET products = 0, published = 0, version = greatest(version + 1, {_NOW})
"""  # noqa: S608
_RECOUNT = f"""
    INSERT INTO products_stamp AS s (scope, shard, version, products, published)
    SELECT c.scope, 0, {_NOW}, c.products, c.published FROM ({_COUNTED}) AS c
    ON CONFLICT (scope, shard) DO UPDATE SET products = excluded.products, published = excluded.published
"""  # noqa: S608


def products_changed(lines: Iterable[Line], added: Collection[Added] = ()) -> None:
    """Raise the scopes of products that were just written, in the transaction that wrote them.

    Args:
        lines: what the change feed tells of them; steps that change nothing raise nothing.
        added: products that are new and shown, of which there are no lines: their rows need not be read.
    """
    rows = [
        (product_id, _was_shown(kind, fields), *_before(fields))
        for product_id, kind, fields in lines
        if kind not in ProductChange.STEPS
    ]
    if rows or added:
        told = [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * _TOLD
        execute(_PRODUCTS_CHANGED, told + _counted(added))


def _counted(added: Iterable[Added]) -> list[str]:
    """Arrays of categories, numbers of products and of published ones; WHOLE: filed nowhere."""
    counts = Counter(added)
    published = [count * (status == PUBLISHED) for (_, status), count in counts.items()]
    return [array([category or ProductStamp.WHOLE for category, _ in counts]), array(counts.values()), array(published)]


def names_changed() -> None:
    """Raise what every list and detail depends on: a category or shop has another name, or the tree another form."""
    execute(_NAMES_CHANGED)


@transaction.atomic
def recount() -> None:
    """Count anew what the scopes hold, after rows were written past the catalogue's own functions.

    Writers wait meanwhile, and what they had written but not told comes on top.
    """
    execute("LOCK TABLE products_stamp IN SHARE ROW EXCLUSIVE MODE")
    execute(_RESET)
    execute(_RECOUNT)


def _was_shown(kind: ProductChange.Kind, fields: dict[str, Any]) -> bool | None:
    """Whether lists showed the product before; None: as now."""
    if kind is KIND.DELETED:
        return True
    # A product that its source offers again comes back by its status, one that an operator restores without.
    appears = kind is KIND.CREATED or (kind is KIND.RESTORED and "status" not in fields)
    return False if appears else None


def _before(fields: dict[str, Any]) -> tuple[bool, int | None, str | None]:
    """Whether it changed its category, the one before, and the status before; None: as now."""
    category, status = fields.get("category_id"), fields.get("status")
    return category is not None, category and category[0], status and status[0]
