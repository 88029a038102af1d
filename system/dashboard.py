"""The first page of the back office: cards that the applications register, so that no floor looks upwards."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.http import HttpRequest

Provider = Callable[[], dict[str, Any]]


class Card(NamedTuple):
    """One box: `provide()` gives its template the values; cheap queries only. Lower `position` comes first."""

    position: int
    name: str
    template: str
    provide: Provider
    permission: str
    is_wide: bool


_cards: dict[str, Card] = {}


def register_card(
    name: str, template: str, provide: Provider, *, position: int, permission: str, is_wide: bool = False
) -> None:
    """Add a card for users with this permission; called from `AppConfig.ready()`."""
    _cards[name] = Card(position, name, template, provide, permission, is_wide)


def show_dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The theme's callback: fill the first page with the cards this user may see."""
    cards = [card for card in sorted(_cards.values()) if request.user.has_perm(card.permission)]
    context["cards"] = [
        {"name": card.name, "template": card.template, "is_wide": card.is_wide, "card": card.provide()}
        for card in cards
    ]
    return context
