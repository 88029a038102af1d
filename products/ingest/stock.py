"""Stocks by hint: absolute numbers a source tells between two looks at its products, SKU by SKU.

Hints come late, twice and out of order, so each is put in order by its own moment against what is stored. The product
is looked at again soon anyway; until then the numbers are as fresh as they can be.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from products.records import StockHint
from system.sql import execute, fetch_all

# A moment this far ahead is a broken clock; stored, it would shut out all hints until then.
AHEAD = timedelta(minutes=5)
_LOCK = """
    SELECT source_id, id, stock, greatest(synced_at, source_updated_at, %s::timestamptz), stock_at, owned_fields
    FROM products_product
    WHERE source = %s AND source <> '' AND source_id = ANY(%s) AND status <> ALL(%s) AND deleted_at IS NULL
    ORDER BY source_id FOR UPDATE
"""
_SKUS = """
    SELECT product_id, source_sku_id, id, stock, stock_at FROM products_sku
    WHERE product_id = ANY(%s) AND source_sku_id <> ''
"""
_WRITE_SKUS = """
    UPDATE products_sku AS s SET stock = i.stock, stock_at = i.at, updated_at = %s
    FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[]) AS i (id, stock, at) WHERE s.id = i.id
"""
# Where nothing is different only the moment is remembered, which is no new version.
_WRITE_PRODUCTS = """
    UPDATE products_product AS p SET stock = i.stock, stock_at = i.at,
        fingerprint = CASE WHEN i.changed THEN '' ELSE p.fingerprint END,
        version = p.version + i.changed::int, updated_at = CASE WHEN i.changed THEN %s ELSE p.updated_at END
    FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::bool[]) AS i (id, stock, at, changed)
    WHERE p.id = i.id
"""

Fields = dict[str, Any]


class _Sku(NamedTuple):
    id: int
    stock: int
    at: datetime | None


class _Product(NamedTuple):
    source_id: str
    id: int
    stock: int
    known_at: datetime | None
    at: datetime | None
    owned_fields: list[str]


class _Outcome(NamedTuple):
    """What becomes of one product: its stock, of which moment, its SKUs' by their rows, and what differs."""

    id: int
    stock: int
    at: datetime | None
    skus: dict[int, tuple[int, datetime]]
    fields: Fields


def store_stock(
    source: str, hints: Iterable[StockHint], covered_until: datetime | None, gone: list[str], now: datetime
) -> list[tuple[int, Fields]]:
    """Write the hints that are news, in the caller's transaction; returns what differs by product.

    Args:
        covered_until: older hints are part of what syncs have stored already.
        gone: states of products that are not looked at.
    """
    newest = _newest(hint for hint in hints if hint.at <= now + AHEAD)
    products = [_Product(*row) for row in fetch_all(_LOCK, [covered_until, source, sorted(newest), gone])]
    skus: dict[int, dict[str, _Sku]] = {product.id: {} for product in products}
    for product_id, key, *rest in fetch_all(_SKUS, [list(skus)]) if skus else []:
        skus[product_id][key] = _Sku(*rest)
    outcomes = [_decide(product, skus[product.id], newest[product.source_id]) for product in products]
    _write(outcomes, now)
    return [(outcome.id, outcome.fields) for outcome in outcomes if outcome.fields]


def _newest(hints: Iterable[StockHint]) -> dict[str, dict[str, StockHint]]:
    """The latest hint of every SKU, by product."""
    newest: dict[str, dict[str, StockHint]] = {}
    for hint in hints:
        of_product = newest.setdefault(hint.source_id, {})
        rival = of_product.get(hint.sku_id)
        if rival is None or hint.at >= rival.at:
            of_product[hint.sku_id] = hint
    return newest


def _decide(product: _Product, skus: Mapping[str, _Sku], hints: Mapping[str, StockHint]) -> _Outcome:
    news = {
        key: hint
        for key, hint in hints.items()
        if (sku := skus.get(key)) and "skus" not in product.owned_fields and _is_news(hint, product.known_at, sku.at)
    }
    before = {key: {"stock": skus[key].stock} for key, hint in sorted(news.items()) if hint.stock != skus[key].stock}
    fields: Fields = {"skus": [before, {key: {"stock": news[key].stock} for key in before}]} if before else {}
    stock, at = _whole(product, skus, news, hints.get(""))
    if stock != product.stock:
        fields["stock"] = [product.stock, stock]
    written = {skus[key].id: (hint.stock, hint.at) for key, hint in news.items()}
    return _Outcome(product.id, stock, at, written, fields)


def _whole(
    product: _Product, skus: Mapping[str, _Sku], news: Mapping[str, StockHint], hint: StockHint | None
) -> tuple[int, datetime | None]:
    """The product's own stock: as told, or where nobody told it the sum over its SKUs."""
    if "stock" in product.owned_fields:
        return product.stock, product.at
    if hint and _is_news(hint, product.known_at, product.at):
        return hint.stock, hint.at
    if news and hint is None:
        return sum(news[key].stock if key in news else sku.stock for key, sku in skus.items()), product.at
    return product.stock, product.at


def _is_news(hint: StockHint, *known: datetime | None) -> bool:
    return all(moment is None or hint.at > moment for moment in known)


def _write(outcomes: list[_Outcome], now: datetime) -> None:
    skus = [(id_, *value) for outcome in outcomes for id_, value in outcome.skus.items()]
    if skus:
        ids, stocks, moments = zip(*skus, strict=True)
        execute(_WRITE_SKUS, [now, list(ids), list(stocks), list(moments)])
    if outcomes:
        rows = [(outcome.id, outcome.stock, outcome.at, bool(outcome.fields)) for outcome in outcomes]
        ids, stocks, moments, changed = zip(*rows, strict=True)
        execute(_WRITE_PRODUCTS, [now, list(ids), list(stocks), list(moments), list(changed)])
