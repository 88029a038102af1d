"""The tests of the limits have low ones, and a Redis that has counted nothing."""

from collections.abc import Callable

import pytest
from pytest_django import Settings

Limits = Callable[..., None]

STOCK = {
    "free": "100/hour",
    "basic": "1000/hour",
    "enterprise": "10000/hour",
    "premium": "unlimited",
    "anonymous": "1000/hour",
    "callback": "6000/minute",
    "login": "60/minute",
    "login_name": "20/minute",
    "sync_start": "120/minute",
    "export": "30/minute",
    "batch": "120/minute",
}


@pytest.fixture(autouse=True)
def limits(settings: Settings, redis_url: str) -> Limits:
    """The limits as they come, some replaced: `limits(free="3/hour")`."""
    settings.THROTTLE_RATES = STOCK

    def change(**rates: str) -> None:
        settings.THROTTLE_RATES = STOCK | rates

    return change
