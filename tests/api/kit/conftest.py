"""The kit's tests have views of their own."""

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def kit_addresses(settings: Settings) -> None:
    """Route to the test views."""
    settings.ROOT_URLCONF = "tests.api.kit.urls"
