"""Plain COPY of ready rows: as fast as PostgreSQL takes what it must hold afterwards."""

import time
from pathlib import Path

import psycopg
from psycopg import sql

# All that belongs to a product and is not made by hand; categories and shops are a handful of rows.
_TABLES = """
    SELECT table_name FROM information_schema.columns
    WHERE table_schema = 'public' AND column_name = 'product_id' AND table_name LIKE 'products\\_%'
    ORDER BY table_name
"""
PRODUCT, SKU = "products_product", "products_sku"
CHUNK = 2**18


def tables(url: str) -> list[str]:
    """The tables with rows of products."""
    with psycopg.connect(url) as connection:
        return [PRODUCT, *(name for (name,) in connection.execute(_TABLES))]


def export(url: str, size: int, folder: Path) -> list[Path]:
    """Write the first `size` products' rows in COPY's binary form, a file a table."""
    folder.mkdir(exist_ok=True)
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT id FROM products_product ORDER BY id LIMIT 1 OFFSET %s", [size]).fetchone()
        return [_export(connection, name, found[0] if found else 2**62, folder) for name in tables(url)]


def _export(connection: "psycopg.Connection[tuple[int, ...]]", table: str, end: int, folder: Path) -> Path:
    key = "id" if table == PRODUCT else "product_id"
    statement = sql.SQL("COPY (SELECT * FROM {} WHERE {} < {}) TO STDOUT (FORMAT BINARY)").format(
        sql.Identifier(table), sql.Identifier(key), sql.Literal(end)
    )
    path = folder / table
    with path.open("wb") as file, connection.cursor() as cursor, cursor.copy(statement) as rows:
        for piece in rows:
            file.write(piece)
    return path


def load(url: str, files: list[Path]) -> float:
    """Read such files into tables of their names; returns the seconds it took."""
    begin = time.perf_counter()
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for path in files:
            statement = sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(sql.Identifier(path.name))
            with path.open("rb") as file, cursor.copy(statement) as copy:
                while piece := file.read(CHUNK):
                    copy.write(piece)
    return time.perf_counter() - begin
