"""The trim: the journal holds what is unsettled, and little else."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

import structlog

from worker.model import Partition
from worker.ownership.ownership import Ownership
from worker.ports import Faults, LogAdmin, Lost, Observer

log = structlog.get_logger(__name__)


class Trimmer:
    """Deletes what the owned journals no longer need: one call for all of them, every few seconds.

    A trim that comes late, after the partition went to another owner, does no harm: the offset was computed from
    commits known to be committed, and nobody needs a fact of a settled event. So it is not fenced, and a failure is
    only counted and tried again.
    """

    def __init__(
        self,
        journal: str,
        owned: Callable[[], Iterable[Ownership]],
        admin: LogAdmin,
        faults: Faults,
        observer: Observer,
        interval: float,
    ) -> None:
        """`interval` in seconds."""
        self._journal = journal
        self._owned = owned
        self._admin = admin
        self._faults = faults
        self._observer = observer
        self._interval = interval
        self._done: dict[str, int] = {}

    async def run(self) -> None:
        """Trim until cancelled."""
        while True:
            await asyncio.sleep(self._interval)
            await self.trim()

    async def trim(self) -> None:
        """One round."""
        targets = {own.owner: (Partition(self._journal, own.partition), own.trim_to) for own in self._owned()}
        self._done = {owner: offset for owner, offset in self._done.items() if owner in targets}
        due: Mapping[Partition, int] = {
            partition: offset for owner, (partition, offset) in targets.items() if offset > self._done.get(owner, 0)
        }
        if not due:
            return
        self._faults.hit("before-trim")
        lost = await self._admin.delete_before(due)
        self._observer.trimmed(not isinstance(lost, Lost))
        if isinstance(lost, Lost):
            log.warning("trim_failed", why=lost.why.value, detail=lost.detail)
            return
        self._done |= {owner: offset for owner, (_, offset) in targets.items()}
