"""What the setting ENGINE asks for."""

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg import adapters
from psycopg.adapt import PyFormat
from psycopg.pq import TransactionStatus

# Columns of bytes go in by COPY through the driver's quick dumper, in place of the one for `psycopg.Binary`.
adapters.register_dumper(bytes, adapters.get_dumper(bytes, PyFormat.BINARY))


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that looks at its socket before it asks the server whether it is still there.

    An idle connection has nothing to read. One that the server has ended has: its farewell, or the end of the stream;
    one whose server fell silent is ended by the kernel (`keepalives_idle`, `tcp_user_timeout`). So a restart of
    the server is noticed before a statement is sent, and a request of a healthy connection pays nothing for that.
    """

    connection: Any

    def is_usable(self) -> bool:
        """Whether the connection works; asks the server only when there is something to read."""
        return _is_silent(self.connection) or bool(super().is_usable())


def _is_silent(connection: Any) -> bool:
    if connection is None or connection.closed or connection.info.transaction_status != TransactionStatus.IDLE:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)
