"""How long to leave a source alone after it failed."""

FIRST_DELAY_SECONDS = 2.0
LONGEST_DELAY_SECONDS = 120.0


def delay_seconds(failures: int, retry_after: float | None, jitter: float) -> float:
    """Doubling from two seconds to two minutes, never less than the source asked for.

    Args:
        failures: how often this batch failed in a row, this time included.
        retry_after: what the source asked for, if it did.
        jitter: 0 to 1; spreads workers over the second half of the delay.
    """
    backoff: float = min(FIRST_DELAY_SECONDS * 2 ** (failures - 1), LONGEST_DELAY_SECONDS)
    spread = backoff * (0.5 + jitter / 2)
    return max(spread, min(retry_after or 0.0, LONGEST_DELAY_SECONDS))
