"""A product file, and how a feed source reads it."""

from pathlib import Path
from typing import Any

import msgspec

from benchmarks.world import products as made_up

# In the third file one product in so many differs from the second one.
CHANGED_EVERY = 20
MAPPING: dict[str, Any] = {
    "id": "source_id",
    "category": {"id": "category.id", "names": "category.names"},
    "shop": {"id": "shop.source_id", "name": "shop.name", "location": "shop.location"},
    "updated_at": "source_updated_at",
    "price_tiers": {"each": "price_tiers", "fields": {"start_quantity": "start_quantity", "price": "price"}},
    "skus": {
        "each": "skus",
        "fields": {
            "id": "source_sku_id",
            **{name: name for name in ("spec_id", "code", "spec", "price", "stock")},
        },
    },
    **{name: name for name in ("title", "description", "price", "price_min", "price_max", "currency", "quote_type")},
    **{name: name for name in ("stock", "min_order_quantity", "unit", "sold_count", "images", "attributes", "url")},
}

_encoder = msgspec.json.Encoder()


def write_feed(path: Path, size: int, *, catalogue: int = 0, edition: int = 0) -> None:
    """Write so many products as NDJSON, whole or not at all.

    Args:
        catalogue: the size of the catalogue that they are a part of, if there are more.
        edition: one product in twenty is of this one instead of the first.
    """
    draft = path.with_suffix(".new")
    with draft.open("wb") as file:
        for number in range(size):
            later = edition if number % CHANGED_EVERY == 0 else 0
            file.write(_encoder.encode(made_up.product(number, catalogue or size, later)) + b"\n")
    draft.replace(path)


def feed_options(path: Path) -> dict[str, Any]:
    """The options of the source."""
    return {"path": str(path), "mapping": MAPPING}
