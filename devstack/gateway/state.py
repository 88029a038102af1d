"""Everything the simulator knows at one moment; a reset makes a new one from the same settings."""

from dataclasses import dataclass, replace

from .auth import Application, Tokens
from .catalogue import Catalogue
from .channel import Channel
from .clock import Clock
from .faults import Faults
from .finding import PoolTasks, SearchIndex
from .limits import CallLog, Limits
from .live import LiveCatalogue
from .outbox import Outbox


@dataclass(frozen=True)
class Settings:
    """How a simulator starts. `clock` in milliseconds since the epoch, None for the machine's time."""

    products: int = 3000
    seed: int = 1688
    app_key: str = "1000000"
    app_secret: str = "test123"  # noqa: S105 - of the published signature examples
    qps: int | None = None
    daily: int | None = None
    deny: tuple[str, ...] = ()
    clock: int | None = None
    frozen_clock: bool = False
    message_url: str = ""


class State:
    """The parts that change; the message channel outlives it. Raises ValueError for more products than ids."""

    def __init__(self, settings: Settings, catalogue: Catalogue | None = None, channel: Channel | None = None) -> None:
        self.settings = settings
        self.app = Application(settings.app_key, settings.app_secret)
        self.clock = Clock(settings.clock, frozen=settings.frozen_clock)
        self.tokens = Tokens(settings.seed, self.clock)
        self.limits = Limits(self.clock, settings.qps, settings.daily, settings.deny)
        self.faults = Faults(settings.seed)
        self.calls = CallLog()
        self.live = LiveCatalogue(catalogue or Catalogue(settings.seed, settings.products))
        self.search = SearchIndex(self.live)
        self.pools = PoolTasks(self.live)
        # Indexes of products that were pushed to the buyer's listing.
        self.relations: set[int] = set()
        self.empty_listings = False
        self.outbox = Outbox(self.app.member_id)
        self.channel = channel or Channel()
        self.channel.serves(self.app, self.clock, self.outbox)

    def renewed(self, products: int | None = None) -> "State":
        """Everything back to the seed; with another number of products if one is given."""
        if products is None or products == self.settings.products:
            return State(self.settings, self.live.catalogue, self.channel)
        return State(replace(self.settings, products=products), channel=self.channel)
