"""What a running job tells whoever watches: the kinds of events, and what they carry."""

from collections.abc import Mapping
from typing import Any, Literal

# `progress`: the job as it stands, merged with the next ones; `finished`: its final state, never dropped.
EventType = Literal["progress", "log", "finished"]
View = Mapping[str, Any]
