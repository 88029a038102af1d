"""Whether all that search keeps is of today's version; while it is made anew, a search may miss what it should find."""

from products.search.folding import VERSION
from system.sql import fetch_one

INDEX_IS_OLD = f"EXISTS (SELECT FROM products_searchbuild WHERE version <> {VERSION})"
_PROGRESS = f"""
    SELECT CASE WHEN target = {VERSION} THEN 100 * position / (SELECT max(id) FROM products_product) ELSE 0 END
    FROM products_searchbuild WHERE version <> {VERSION}
"""  # noqa: S608


def rebuilt_percent() -> int | None:
    """How much of what search keeps is made anew, in percent of the products; None when all of it is of today."""
    row = fetch_one(_PROGRESS)
    return int(row[0] or 0) if row else None
