"""Whatever amount is sent, exactly that amount is kept and answered."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from products.models import Product
from tests.client import ApiClient
from tests.products.bodies import body

pytestmark = pytest.mark.django_db

FEN = st.integers(0, 10**12 - 1)
TIERS = st.dictionaries(st.integers(1, 2**31 - 1), FEN, max_size=10)


def amount(fen: int) -> Decimal:
    """So many hundredths."""
    return Decimal(fen).scaleb(-2)


@pytest.mark.uncounted
@settings(max_examples=60)
@given(price=FEN, tiers=TIERS)
def test_money_is_kept_to_the_fen(writer: ApiClient, price: int, tiers: dict[int, int]) -> None:
    told = [{"start_quantity": start, "price": float(amount(tiers[start]))} for start in sorted(tiers)]
    Product.objects.all().delete()

    made: dict[str, Any] = writer.post("products", body(price=float(amount(price)), price_tiers=told), expect=201)

    kept = Product.objects.get()
    assert kept.price == amount(price)
    assert [Decimal(str(tier["price"])) for tier in kept.price_tiers] == [
        amount(tiers[start]) for start in sorted(tiers)
    ]
    assert (kept.price_min, kept.price_max) == (
        amount(min([price, *tiers.values()])),
        amount(max([price, *tiers.values()])),
    )
    assert (made["price"], made["price_tiers"]) == (float(amount(price)), told)
