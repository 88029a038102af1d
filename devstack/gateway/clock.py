"""The simulator's clock and the platform's date format, always China time."""

import time
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

CHINA = timezone(timedelta(hours=8))
_DATE_DIGITS = 14


class DateError(ValueError):
    """The text is no date of the platform."""


@lru_cache(maxsize=16_384)
def format_date(milliseconds: int) -> str:
    """`yyyyMMddHHmmssSSS+0800` for milliseconds since the epoch (1688 open platform, dates)."""
    moment = datetime.fromtimestamp(milliseconds // 1000, CHINA)
    return f"{moment:%Y%m%d%H%M%S}{milliseconds % 1000:03}+0800"


def moment_of(milliseconds: int) -> datetime:
    """Milliseconds since the epoch as a moment in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def parse_date(text: str) -> int:
    """Milliseconds since the epoch from `yyyyMMddHHmmss[SSS][±zzzz]`; no zone means China. Raises DateError."""
    digits = text[:_DATE_DIGITS]
    rest = text[_DATE_DIGITS:]
    sign = min((rest.find(mark) for mark in "+-" if mark in rest), default=len(rest))
    try:
        zone = datetime.strptime(rest[sign:] or "+0800", "%z").tzinfo
        moment = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=zone)
        return int(moment.timestamp()) * 1000 + int(rest[:sign] or "0")
    except ValueError as error:
        raise DateError(text) from error


class Clock:
    """Time in milliseconds since the epoch: the machine's, shifted, or standing still at a chosen moment."""

    def __init__(self, start: int | None = None, *, frozen: bool = False) -> None:
        self._shift = 0
        self._frozen: int | None = None
        if start is not None:
            self.set(start)
        if frozen:
            self.freeze()

    def now(self) -> int:
        """The simulator's time."""
        return _machine_time() + self._shift if self._frozen is None else self._frozen

    def set(self, milliseconds: int) -> None:
        """Jumps to a moment; a running clock runs on from there."""
        if self._frozen is None:
            self._shift = milliseconds - _machine_time()
        else:
            self._frozen = milliseconds

    def freeze(self) -> None:
        """Stands still from now on, so that answers no longer depend on the moment of the call."""
        self._frozen = self.now()

    def run(self) -> None:
        """Runs on from where it stands."""
        moment, self._frozen = self.now(), None
        self.set(moment)

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._frozen is not None

    def day(self) -> str:
        """Today's date in China, the day a quota is counted by."""
        return datetime.fromtimestamp(self.now() / 1000, UTC).astimezone(CHINA).date().isoformat()


def _machine_time() -> int:
    return time.time_ns() // 1_000_000
