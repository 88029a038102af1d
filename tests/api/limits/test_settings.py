"""Which limits may be lifted from the environment."""

import importlib

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.settings import throttling


@pytest.mark.parametrize("name", throttling.ALWAYS_LIMITED)
def test_who_has_not_said_who_they_are_is_always_limited(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"RATE_{name.upper()}", "unlimited")
    with pytest.raises(ImproperlyConfigured, match=f"RATE_{name.upper()}"):
        importlib.reload(throttling)
    monkeypatch.undo()
    importlib.reload(throttling)
