"""What a unit of a product costs at a quantity, worked out by PostgreSQL beside the rows it shows anyway.

The platform quotes in four ways (1688 open platform, `saleInfo.quoteType`): 0 and 2 by quantity for the whole product,
1 each SKU its price, 3 each SKU its own price by quantity. So where a product has tiers they decide, but for products
quoted per SKU: there the cheapest SKU decides, and the tiers only for SKUs without a price. Below the minimum order
quantity nothing can be bought: the unit price is then the one at the minimum, and there is no total.
"""

PER_SKU, TIERS_PER_SKU = 1, 3


def _tier_price(tiers: str) -> str:
    """The price of the last tier that the quantity reaches, else of the first one; null without tiers."""
    start, price = "(t.tier->>'start_quantity')::numeric", "(t.tier->>'price')::numeric"
    return f"""(
        SELECT {price} FROM jsonb_array_elements({tiers}) AS t (tier)
        ORDER BY {start} > amount.counted, CASE WHEN {start} > amount.counted THEN {start} ELSE -{start} END LIMIT 1
    )"""  # noqa: S608 - constants only, here and below


_SKU_PRICE = f"coalesce({_tier_price('s.price_tiers')}, s.price)"
_PER_SKU = f"p.quote_type IN ({PER_SKU}, {TIERS_PER_SKU})"

# Joined behind the product; takes the quantity as its one parameter. `amount.counted` is the quantity that prices are
# looked up for, `q` what was found; `least` is the cheapest SKU's price, looked for only where it can decide.
QUANTITY_JOIN = f"""
    CROSS JOIN (SELECT %s::bigint AS quantity) AS asked
    CROSS JOIN LATERAL (
        SELECT asked.quantity, greatest(asked.quantity, p.min_order_quantity) AS counted
    ) AS amount
    CROSS JOIN LATERAL (SELECT {_tier_price("p.price_tiers")} AS price) AS tiered
    LEFT JOIN LATERAL (
        SELECT min({_SKU_PRICE}) AS price FROM products_sku s
        WHERE s.product_id = p.id AND (coalesce({_PER_SKU}, false) OR tiered.price IS NULL)
    ) AS least ON true
    CROSS JOIN LATERAL (
        SELECT amount.quantity, amount.quantity >= p.min_order_quantity AS enough,
            coalesce(least.price, tiered.price, p.price)::numeric(12, 2) AS unit_price,
            CASE WHEN least.price IS NOT NULL THEN 'skus' WHEN tiered.price IS NOT NULL THEN 'tiers'
                WHEN p.price IS NOT NULL THEN 'fixed' ELSE 'hidden' END AS basis
    ) AS q
"""  # noqa: S608

QUANTITY_PRICE = {
    "quantity": "q.quantity",
    "unit_price": "q.unit_price",
    "total": "CASE WHEN q.enough THEN q.unit_price * q.quantity END",
    "currency": "p.currency",
    "unit": "p.unit",
    "min_order_quantity": "p.min_order_quantity",
    "meets_minimum": "q.enough",
    "basis": "q.basis",
}
_OF_SKU = f"""(
    CASE WHEN q.basis = 'skus' THEN coalesce({_SKU_PRICE}, tiered.price, p.price) ELSE q.unit_price END
)::numeric(12, 2)"""
SKU_QUANTITY_PRICE = {
    "unit_price": _OF_SKU,
    "total": f"CASE WHEN q.enough THEN {_OF_SKU} * q.quantity END",
}
