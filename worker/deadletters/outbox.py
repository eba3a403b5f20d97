"""The seams of a run: where its records go, and where their outcomes come from."""

from collections.abc import Sequence
from typing import Protocol

from worker.model import Coordinates, OutRecord, Record
from worker.ports import Lost


class Outbox(Protocol):
    """An idempotent producer, all replicas asked."""

    async def send(self, records: Sequence[OutRecord]) -> Sequence[Coordinates] | Lost:
        """Write them in their order and wait until each is acknowledged: where they stand."""


class Followed(Protocol):
    """Outcomes that are committed after `start`."""

    async def start(self) -> Lost | None: ...

    async def poll(self, seconds: float) -> Sequence[Record] | Lost:
        """What came; waits so long for something."""

    async def close(self) -> None: ...
