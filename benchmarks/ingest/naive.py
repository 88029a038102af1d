"""update_or_create for every product and SKU, the way an importer is first written.

A program: the feed is its argument. It prints how many seconds each of two passes took, as JSON.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import django

django.setup()

from products.models import Category, Product, Shop, Sku  # noqa: E402 (Django must be set up first)

PLAIN = (
    *("title", "description", "price", "price_min", "price_max", "currency", "price_tiers", "quote_type", "stock"),
    *("min_order_quantity", "unit", "sold_count", "images", "attributes", "status", "url", "source_updated_at"),
)
PLAIN_OF_SKU = ("spec_id", "code", "spec", "price", "price_tiers", "stock", "image")


def store(product: dict[str, Any]) -> None:
    """Write one product."""
    category, _ = Category.objects.get_or_create(
        pk=product["category"]["id"], defaults={"name": product["category"]["names"][-1]}
    )
    shop, _ = Shop.objects.get_or_create(
        source="naive", source_id=product["shop"]["source_id"], defaults={"name": product["shop"]["name"]}
    )
    values = {name: product[name] for name in PLAIN} | {"category": category, "shop": shop}
    stored, _ = Product.objects.update_or_create(
        source="naive", source_id=product["source_id"], defaults=values | {"sku": f"1688-{product['source_id']}"}
    )
    for sku in product["skus"]:
        Sku.objects.update_or_create(
            product=stored, source_sku_id=sku["source_sku_id"], defaults={name: sku[name] for name in PLAIN_OF_SKU}
        )


def main(path: Path) -> None:
    """Import the file twice."""
    taken = []
    for _ in range(2):
        begin = time.perf_counter()
        with path.open("rb") as file:
            for line in file:
                store(json.loads(line))
        taken.append(time.perf_counter() - begin)
    json.dump(taken, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
