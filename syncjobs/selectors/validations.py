"""How a validation is shown."""

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from syncjobs.services.validation import Validation


def validation_view(found: "Validation") -> dict[str, Any]:
    """What was found out, as plain data; texts stay lazy until the caller's language is known."""
    shown: dict[str, Any] = _plain(found)
    name, reachable, latency = (shown.pop(key) for key in ("source", "reachable", "latency_ms"))
    source = {"name": name, "reachable": reachable, "latency_ms": latency} if name else None
    return {"valid": found.valid, **shown, "source": source}


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    return [_plain(item) for item in value] if isinstance(value, list) else value
