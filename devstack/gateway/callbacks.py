"""Messages by HTTP callback: signed forms, and their way to an address."""

import asyncio
from collections.abc import Sequence

import httpx

from .auth import SIGNATURE, signature
from .outbox import Message, Outbox

_SECONDS = 10.0
_sending: set[asyncio.Task[None]] = set()


def form_of(message: Message, secret: str, *, forged: bool = False) -> dict[str, str]:
    """The form of a message, signed without a path; a forged one is signed with a secret that is not the app's."""
    form = {"message": message.text()}
    return form | {SIGNATURE: signature(f"not {secret}" if forged else secret, "", form)}


def deliver(outbox: Outbox, messages: Sequence[Message], forms: Sequence[dict[str, str]], url: str) -> None:
    """Post the forms one after the other, behind the caller's back: 2xx confirms, anything else has failed."""
    task = asyncio.get_running_loop().create_task(_deliver(outbox, messages, forms, url))
    _sending.add(task)
    task.add_done_callback(_sending.discard)


async def _deliver(outbox: Outbox, messages: Sequence[Message], forms: Sequence[dict[str, str]], url: str) -> None:
    async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as http:
        for message, form in zip(messages, forms, strict=True):
            try:
                heard = (await http.post(url, data=form)).is_success
            except httpx.HTTPError:
                heard = False
            if heard:
                outbox.confirm([message.id], "callback")
            else:
                outbox.give_up(message)
