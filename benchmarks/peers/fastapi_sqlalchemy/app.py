"""The routes."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import joinedload, selectinload

from benchmarks.peers.envelope import DATABASE_URL, envelope, page, pattern, user_id
from benchmarks.peers.fastapi_sqlalchemy.bodies import DetailAnswer, ListAnswer
from benchmarks.peers.fastapi_sqlalchemy.tables import Product

# Of each process. Four times the default, so that a thousand clients do not run into the pool's time-out at once.
POOL_SIZE = 20

engine = create_async_engine(DATABASE_URL.replace("postgresql://", "postgresql+asyncpg://"), pool_size=POOL_SIZE)
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI(dependencies=[Depends(user_id)])


async def _session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(_session)]


@app.get("/api/v1/products", response_model=ListAnswer)
async def products(session: Session, category_id: int | None = None, page: int = 1, page_size: int = 20) -> Any:
    """One page of the products, newest first."""
    taken = [] if category_id is None else [Product.category_id == category_id]
    return await _page(session, taken, page, page_size)


@app.get("/api/v1/products/search", response_model=ListAnswer)
async def search(session: Session, q: str, page: int = 1, page_size: int = 20) -> Any:
    """One page of the products with this text in the title."""
    return await _page(session, [Product.title.ilike(pattern(q))], page, page_size)


@app.get("/api/v1/products/{product_id}", response_model=DetailAnswer)
async def detail(session: Session, product_id: int) -> Any:
    """One product with its SKUs."""
    together = (joinedload(Product.category_row), joinedload(Product.shop), selectinload(Product.skus))
    query = select(Product).options(*together).where(Product.id == product_id, Product.deleted_at.is_(None))
    product = await session.scalar(query)
    if product is None:
        raise HTTPException(404)
    return envelope(product)


async def _page(session: AsyncSession, taken: list[ColumnElement[bool]], number: int, size: int) -> dict[str, Any]:
    taken = [*taken, Product.deleted_at.is_(None)]
    total = await session.scalar(select(func.count()).select_from(Product).where(*taken))
    query = (
        select(Product)
        .options(joinedload(Product.category_row), joinedload(Product.shop))
        .where(*taken)
        .order_by(Product.id.desc())
        .limit(size)
        .offset((number - 1) * size)
    )
    found = await session.scalars(query)
    return envelope(page(found.all(), total or 0, number, size))
