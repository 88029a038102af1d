"""As fast as FastAPI gets without models: hand-written SQL on asyncpg, rows straight into orjson."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import asyncpg
import orjson
from fastapi import Depends, FastAPI, HTTPException, Response

from benchmarks.peers.envelope import DATABASE_URL, envelope, page, pattern, user_id

POOL_SIZE = 20
OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS
LISTED = """
    p.id, p.sku, p.title, p.price, p.stock, p.images, c.name AS category, p.created_at, p.updated_at, p.category_id,
    c.path AS category_path, h.id AS shop_id, h.name AS shop_name, p.price_min, p.price_max, p.currency, p.price_tiers,
    p.min_order_quantity, p.unit, p.sold_count, p.status, p.source, p.source_id, p.url, p.attributes, p.version,
    p.source_updated_at, p.synced_at
"""
JOINS = "LEFT JOIN products_category c ON c.id = p.category_id LEFT JOIN products_shop h ON h.id = p.shop_id"
DETAIL = f"""
    SELECT {LISTED}, p.description, p.owned_fields, coalesce(p.conflicts, '{{}}') AS conflicts
    FROM products_product p {JOINS} WHERE p.id = $1 AND p.deleted_at IS NULL
"""  # noqa: S608 - constants only, here and below
SKUS = """
    SELECT id, source_sku_id, spec_id, code, spec, price, price_tiers, stock, image FROM products_sku
    WHERE product_id = $1 ORDER BY position, id
"""
IN_CATEGORY, WITH_TEXT, ALL = "p.category_id = $1", "p.title ILIKE $1", "$1::text IS NULL"


@asynccontextmanager
async def _pool(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(DATABASE_URL, max_size=POOL_SIZE, init=_pass_json_through) as pool:
        app.state.pool = pool
        yield


async def _pass_json_through(connection: Any) -> None:
    """JSON columns are not decoded: they go out as they are stored."""
    await connection.set_type_codec(
        "jsonb", encoder=lambda text: text, decoder=orjson.Fragment, schema="pg_catalog", format="text"
    )


app = FastAPI(lifespan=_pool, dependencies=[Depends(user_id)])


@app.get("/api/v1/products")
async def products(category_id: int | None = None, page: int = 1, page_size: int = 20) -> Response:
    """One page of the products, newest first."""
    return await _page(ALL if category_id is None else IN_CATEGORY, category_id, page, page_size)


@app.get("/api/v1/products/search")
async def search(q: str, page: int = 1, page_size: int = 20) -> Response:
    """One page of the products with this text in the title."""
    return await _page(WITH_TEXT, pattern(q), page, page_size)


@app.get("/api/v1/products/{product_id}")
async def detail(product_id: int) -> Response:
    """One product with its SKUs."""
    async with app.state.pool.acquire() as connection:
        row = await connection.fetchrow(DETAIL, product_id)
        if row is None:
            raise HTTPException(404)
        skus = await connection.fetch(SKUS, product_id)
    return _answer({**_shown(row), "skus": [dict(sku) for sku in skus]})


async def _page(condition: str, value: Any, number: int, size: int) -> Response:
    taken = f"{condition} AND p.deleted_at IS NULL"
    query = f"""
        SELECT {LISTED} FROM products_product p {JOINS} WHERE {taken}
        ORDER BY p.id DESC LIMIT $2 OFFSET $3
    """  # noqa: S608
    async with app.state.pool.acquire() as connection:
        total = await connection.fetchval(f"SELECT count(*) FROM products_product p WHERE {taken}", value)  # noqa: S608
        rows = await connection.fetch(query, value, size, (number - 1) * size)
    return _answer(page([_shown(row) for row in rows], total, number, size))


def _shown(row: Any) -> dict[str, Any]:
    shown = dict(row)
    shop_id, shop_name = shown.pop("shop_id"), shown.pop("shop_name")
    shown["shop"] = {"id": shop_id, "name": shop_name} if shop_id else None
    return shown


def _answer(data: Any) -> Response:
    return Response(orjson.dumps(envelope(data), default=_number, option=OPTIONS), media_type="application/json")


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError
