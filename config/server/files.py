"""Files as answers: opened by a thread, sent by the event loop, so that a slow or vanished reader holds no thread."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import IO

CHUNK_BYTES = 256 * 1024


class FileWrapper:
    """What PEP 3333 calls `wsgi.file_wrapper`: tells the server that an answer is this file."""

    def __init__(self, file: IO[bytes], block_size: int = CHUNK_BYTES) -> None:
        self.file = file
        self.block_size = block_size

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.file.read(self.block_size), b"")

    def close(self) -> None:
        """Close the file."""
        self.file.close()


async def send_file(wrapper: FileWrapper, write: Callable[[bytes], None], ready: Callable[[], Awaitable[bool]]) -> None:
    """Read a file piece by piece, as fast as it is taken.

    Args:
        ready: waits until there is room for the next piece; False when nobody reads any more.
    """
    # The folder may be another machine's, which all other requests must not wait for.
    while await ready() and (chunk := await asyncio.to_thread(wrapper.file.read, CHUNK_BYTES)):
        write(chunk)
