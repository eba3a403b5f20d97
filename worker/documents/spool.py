"""Documents on disk: how much space they may take together, and files that leave nothing behind."""

import asyncio
import hashlib
import os
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

_BLOCK: Final = 128 * 1024
"""Bytes that are written at a time, in a thread: a disk that stalls must not stop the event loop."""


class Share:
    """Implements `ports.Room`."""

    def __init__(self, size: int, give_back: Callable[[int], None]) -> None:
        self._size = size
        self._give_back = give_back

    def close(self) -> None:
        """See `ports.Room`."""
        size, self._size = self._size, 0
        if size:
            self._give_back(size)


class Space:
    """The bound on bytes of documents on disk, first come first served. `changed` is told the bytes in use."""

    def __init__(self, size: int, changed: Callable[[int], None]) -> None:
        self._size = size
        self._changed = changed
        self._used = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size: int) -> Share:
        """See `ports.DocumentStore.room`."""
        if self._waiting or not self._fits(size):
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((size, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if not turn.cancelled():
                    self._give_back(size)  # it was given in the same moment
                else:
                    self._serve()  # those behind it may fit
                raise
        else:
            self._use(size)
        return Share(size, self._give_back)

    def _fits(self, size: int) -> bool:
        return self._used + size <= self._size or self._used == 0

    def _use(self, size: int) -> None:
        self._used += size
        self._changed(self._used)

    def _give_back(self, size: int) -> None:
        self._use(-size)
        self._serve()

    def _serve(self) -> None:
        """In order: a large one must not wait for ever while small ones pass it."""
        while self._waiting and (self._waiting[0][1].done() or self._fits(self._waiting[0][0])):
            size, turn = self._waiting.popleft()
            if not turn.done():  # else whoever waited was cut off, and has not run yet
                self._use(size)
                turn.set_result(None)


class SpoolFile:
    """A document that is being written, then read: `ports.Document` once it is `whole`.

    The file has no name (O_TMPFILE, else it is unlinked at once), so that it is gone with the process, however that
    ends. Raises OSError where the directory can't be written to.
    """

    def __init__(self, directory: Path | None) -> None:
        self._file = tempfile.TemporaryFile(dir=directory, buffering=0)  # noqa: SIM115 -- closed by `close`
        self._digest = hashlib.sha256()
        self._block = bytearray()
        self._writing: asyncio.Future[None] | None = None
        self.size = 0
        self.sha256 = ""

    async def append(self, data: bytes) -> None:
        """Take in the next bytes. OSError when the disk is full or broken."""
        self.size += len(data)
        self._block += data
        if len(self._block) >= _BLOCK:
            await self._flush()

    async def whole(self) -> None:
        """All is there: `sha256` says of what."""
        await self._flush()
        self.sha256 = self._digest.hexdigest()

    async def _flush(self) -> None:
        block, self._block = self._block, bytearray()
        self._writing = asyncio.get_running_loop().run_in_executor(None, self._write, block)
        # Cut off, the thread goes on: `close` waits for it, or it would write into whatever has the descriptor next.
        await asyncio.shield(self._writing)

    def _write(self, block: bytearray) -> None:
        self._digest.update(block)
        left = memoryview(block)
        while left:
            left = left[os.write(self._file.fileno(), left) :]

    def read(self, offset: int, count: int) -> bytes:
        """See `ports.Document`. What was just written is in the page cache, so it is read without a thread."""
        data = bytearray()
        while len(data) < count:
            piece = os.pread(self._file.fileno(), count - len(data), offset + len(data))
            if not piece:
                raise OSError("the document's file is shorter than what was written")
            data += piece
        return bytes(data)

    def close(self) -> None:
        """See `ports.Document`."""
        self._block = bytearray()
        if self._writing is not None and not self._writing.done():
            self._writing.add_done_callback(self._close_after)
        else:
            self._file.close()

    def _close_after(self, written: "asyncio.Future[None]") -> None:
        if not written.cancelled():
            written.exception()  # nobody waits for it any more
        self._file.close()
