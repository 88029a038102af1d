"""The processor time of PostgreSQL for a connection, which other work on the machine hardly moves."""

from pathlib import Path

from system.sql import fetch_all


class Clock:
    """Processor time of this connection's backend."""

    def __init__(self) -> None:
        self._told = Path(f"/proc/{fetch_all('SELECT pg_backend_pid()')[0][0]}/schedstat")

    def milliseconds(self) -> float:
        """Used so far."""
        return int(self._told.read_text().split()[0]) / 1e6
