"""`ports.DocumentStore` of a process: a store that is slow, away, or has lost a document; and little space."""

import asyncio
import base64
import hashlib
import random
from collections.abc import Mapping

from tests.simulation.chaos import Chaos
from tests.simulation.trace import Trace
from worker import fetching
from worker.documents.spool import Share, Space
from worker.fetching import Fetched
from worker.model import Reference
from worker.ports import Altered, Missing, Unreachable

STORE = "https://documents.test/"
SPACE = 20
"""Bytes: room for one document at a time."""


class SimDocument:
    """`ports.Document` in memory."""

    def __init__(self, content: bytes) -> None:
        self._content: bytes | None = content
        self.size = len(content)
        self.sha256 = hashlib.sha256(content).hexdigest()

    def read(self, offset: int, count: int) -> bytes:
        """See `ports.Document`."""
        if self._content is None:
            raise ValueError("closed")
        return self._content[offset : offset + count]

    def close(self) -> None:
        """See `ports.Document`."""
        self._content = None


class SimDocuments:
    """Draws from a generator of its own: what it does moves no other fault of the seed."""

    def __init__(self, contents: Mapping[str, str], rng: random.Random, chaos: Chaos, trace: Trace) -> None:
        """`contents`: base64 by URL."""
        self._contents = contents
        self._random = rng
        self._chaos = chaos
        self._trace = trace
        self._space = Space(SPACE, lambda size: trace.add(f"documents: {size} bytes"))

    async def room(self, size: int) -> Share:
        """See `ports.DocumentStore`."""
        return await self._space.take(size)

    async def fetch(self, reference: Reference) -> Fetched:
        """See `ports.DocumentStore`."""
        roll = self._random.random
        await asyncio.sleep(0.001 + 0.05 * roll())
        if roll() < self._chaos.weather.api:
            await asyncio.sleep(2 * roll())
            trouble = (Unreachable("timeout"), Unreachable("server_error", 503, 1.0)) * 4
            fetched: Fetched = self._random.choice(
                (*trouble, Missing(fetching.MISSING, 404), Altered(fetching.DIGEST, 200))
            )
        else:
            fetched = SimDocument(base64.b64decode(self._contents[reference.url]))
        self._trace.add(f"documents: {reference.sha256[:8]}: {type(fetched).__name__}")
        return fetched
