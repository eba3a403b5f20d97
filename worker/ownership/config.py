"""What every ownership in a process is made with: names and times, and the ports that it stands on."""

from collections.abc import Callable
from dataclasses import dataclass

from worker.model import TopicNames
from worker.ports import Clock, Faults, LogAdmin, LogProducer, LogReader, Observer


@dataclass(frozen=True, slots=True)
class OwnershipConfig:
    """Names and times (seconds) of every ownership in this process."""

    topics: TopicNames
    group: str
    partitions: int
    """How many partitions requests, replays, journal and ledger have."""
    intent_validity: float = 5.0
    settle_interval: float = 0.05
    commit_timeout: float = 10.0
    transaction_timeout: float = 60.0
    takeover_timeout: float = 30.0
    """For fencing and the claim; reading ledger and journal takes as long as it takes."""

    @property
    def journal_commit_interval(self) -> float:
        """No transaction stays open longer than a third of its time-out."""
        return min(10.0, self.transaction_timeout / 3)


@dataclass(frozen=True, slots=True)
class Ports:
    """What an ownership stands on. `producer` makes a transactional producer by its transactional id."""

    producer: Callable[[str], LogProducer]
    reader: LogReader
    admin: LogAdmin
    clock: Clock
    faults: Faults
    observer: Observer
