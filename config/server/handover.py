"""Connections change the process: an HTTP process that reads the head of a WebSocket sends its socket to the other one.

A socket is a file, and a file may be sent over a Unix socket (SCM_RIGHTS): the other process then has the same
connection, with the peer's address and what has not been read yet.
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

logger = logging.getLogger(__name__)

# A head of 32 KB in as many headers as allowed, its address, and what a hasty client sent behind it.
MAX_MESSAGE_BYTES = 64 * 1024
# Handed over at one go, before the loop looks after others.
AT_ONCE = 50


def channel() -> tuple[socket.socket, socket.socket]:
    """The two ends, sending and receiving, for any number of senders; made before the processes."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setblocking(False)
    return ends


class Parcel(NamedTuple):
    """A connection on its way, as a file of our own, and who wants to know whether it was sent."""

    head: bytes
    file: int
    sent: Callable[[bool], None]

    def close(self, *, sent: bool) -> None:
        """Close our file and tell."""
        os.close(self.file)
        self.sent(sent)


class Sender:
    """The sending end in one process: never waits, keeps the order.

    Args:
        alive: whether there is somebody to receive.
    """

    def __init__(self, end: socket.socket, alive: Callable[[], bool]) -> None:
        self._end = end
        self._alive = alive
        self._parcels: deque[Parcel] = deque()

    def send(self, head: bytes, file: int, sent: Callable[[bool], None]) -> None:
        """Hand a connection over; `sent` is told whether that was possible, perhaps at once."""
        # The client may leave while we wait, and the number of its file be another's.
        self._parcels.append(Parcel(head, os.dup(file), sent))
        if len(self._parcels) == 1:
            self._go_on()

    def check(self) -> None:
        """Give up what waits for a receiver that is gone; to be called now and then."""
        if self._parcels and not self._alive():
            self._stop_waiting()
            self._refuse_all()

    def _go_on(self) -> None:
        if not self._alive():
            self._refuse_all()
        while self._parcels:
            parcel = self._parcels[0]
            try:
                socket.send_fds(self._end, [parcel.head], [parcel.file])
            except BlockingIOError:
                asyncio.get_running_loop().add_writer(self._end, self._go_on)
                return
            except OSError as error:
                logger.warning("a WebSocket was not handed over: %s", error)
                self._refuse_all()
            else:
                self._parcels.popleft().close(sent=True)
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        asyncio.get_running_loop().remove_writer(self._end)

    def _refuse_all(self) -> None:
        parcels, self._parcels = self._parcels, deque()
        for parcel in parcels:
            parcel.close(sent=False)


def received(end: socket.socket) -> Iterator[tuple[bytes, socket.socket]]:
    """The heads and connections that have arrived at the receiving end, a handful at most."""
    for _ in range(AT_ONCE):
        with contextlib.suppress(BlockingIOError, InterruptedError):
            head, files, _flags, _address = socket.recv_fds(end, MAX_MESSAGE_BYTES, 1)
            for file in files:
                yield head, socket.socket(fileno=file)
            continue
        return
