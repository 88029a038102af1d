"""Arguments of control calls."""

from typing import Any

import orjson

from .messages import Request

Json = dict[str, Any]


class ControlPlaneError(ValueError):
    """A control call that cannot be understood."""


class Arguments:
    """Arguments from the query string and from a JSON object or list as body; the body wins."""

    def __init__(self, request: Request) -> None:
        body = orjson.loads(request.body) if request.body else {}
        self.method = request.method
        self.rules: list[object] = body if isinstance(body, list) else []
        self._values: Json = {**request.params(), **(body if isinstance(body, dict) else {})}
        self._known: set[str] = set()

    def get(self, name: str) -> Any:
        """The raw value, None when absent."""
        self._known.add(name)
        return self._values.get(name)

    def whole(self, name: str) -> int | None:
        """A whole number, None when absent or empty."""
        value = self.get(name)
        return None if value in (None, "") else int(value)

    def share(self, name: str) -> float | None:
        """A fraction from 0 to 1, None when absent. Raises ControlPlaneError outside."""
        value = self.get(name)
        if value is None:
            return None
        if not 0 <= float(value) <= 1:
            raise ControlPlaneError(f"{name} is between 0 and 1")
        return float(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A truth value: 1, true, on and their like."""
        value = self.get(name)
        return default if value is None else str(value).lower() in ("1", "true", "on", "yes")

    def words(self, name: str) -> list[str] | None:
        """A list, or text with commas; None when absent."""
        value = self.get(name)
        if value is None or isinstance(value, list):
            return value
        return [word for word in str(value).split(",") if word]

    def refuse_unknown(self) -> None:
        """Raises ControlPlaneError when an argument was given that nobody asked for: a typo would else go unnoticed."""
        unknown = self._values.keys() - self._known
        if unknown:
            raise ControlPlaneError(f"unknown arguments: {', '.join(sorted(unknown))}")
