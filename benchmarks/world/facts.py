"""What the measurements must know of a filled database."""

import msgspec


class WorldFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens by tier or role, how many products each category holds (the measured one first), ids of some products."""

    tokens: dict[str, str]
    products: int
    categories: list[tuple[int, int]]
    product_ids: list[int]
