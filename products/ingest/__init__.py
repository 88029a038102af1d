"""How `products.catalog` writes: rows, their differences, and what they refer to."""
