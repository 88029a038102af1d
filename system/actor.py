"""Who acts: known to the audit log without being passed through every service."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, get_args

import msgspec

Via = Literal["api", "admin", "command", "schedule", "system"]
VIAS: tuple[Via, ...] = get_args(Via)


class Actor(msgspec.Struct, frozen=True):
    """Somebody or something that changes data.

    Attributes:
        via: the interface they came through.
        user_id: None for commands and the system itself.
        name: the user name; for a command that of the operating system's user.
        ip: the address the call came from; "" without one.
        key_id: the API key used, None without one.
    """

    via: Via = "system"
    user_id: int | None = None
    name: str = ""
    ip: str = ""
    key_id: int | None = None


NOBODY = Actor()
_current: ContextVar[Actor] = ContextVar("actor", default=NOBODY)


def current_actor() -> Actor:
    """Who acts now; `NOBODY` outside of requests and commands."""
    return _current.get()


def set_actor(actor: Actor) -> None:
    """Say who acts until the surrounding `actor_scope` ends."""
    _current.set(actor)


@contextmanager
def actor_scope(actor: Actor = NOBODY) -> Iterator[None]:
    """Everything inside is done by this actor unless `set_actor` says another; then the one before acts again."""
    token = _current.set(actor)
    try:
        yield
    finally:
        _current.reset(token)
