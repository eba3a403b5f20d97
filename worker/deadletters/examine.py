"""Before anything is sent: what each record of a run would do, read from the topics in bounded memory.

Dead letters are read again as a stream: memory holds what is known of each, never its value, but for the few that come
before an earlier event of their invoice.
"""

import sys
from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final

from schemas.identity import partition_for
from schemas.rules import DEFAULT_POLICY, RulePolicy
from worker.deadletters.plan import Item, by_invoice
from worker.deadletters.predict import Kind, Prediction, Rules, Standing, predict
from worker.deadletters.sending import Decision, Letter, Target, as_replay, identity_in, replay
from worker.deadletters.source import Source
from worker.deadletters.standings import Standings, read_standings
from worker.decode import DEFAULT_LIMITS, Limits, decode
from worker.facts import UnreadableRecordError
from worker.model import Coordinates, Decoded, Record, TopicNames
from worker.ports import LogAdmin, LogReader, Lost, LostWhy
from worker.standing import State

_HELD_BYTES: Final = 64 * 1024 * 1024
GONE: Final = "gone: the dead letter is not in its topic any more"
_MISROUTED: Final = "misrouted"


@dataclass(frozen=True, slots=True)
class Ground:
    """What predictions are made on. `partitions`: of the inputs; `group`: the worker's."""

    source: Source
    reader: LogReader
    admin: LogAdmin
    topics: TopicNames
    group: str
    partitions: int
    replay_limit: int
    event_limits: Limits = DEFAULT_LIMITS
    event_rules: RulePolicy = DEFAULT_POLICY

    @property
    def target(self) -> Target:
        """Where records go."""
        return Target(self.topics.replays, self.partitions)

    def decode(self, record: Record) -> Decoded:
        """As the worker's lane decodes a record of the replay topic."""
        return decode(
            record, partition_count=self.partitions, commands=True, limits=self.event_limits, rules=self.event_rules
        )

    def rules(self, standings: Standings, partition: int) -> Rules:
        """What is predicted by in this partition."""
        return Rules(self.decode, self.replay_limit, standings.digest_keys.get(partition, b""))

    async def standings(self, identities: Iterable[str]) -> Standings | Lost:
        """How these invoices stand."""
        wanted: dict[int, set[str]] = {}
        for identity in identities:
            wanted.setdefault(partition_for(identity.encode(), self.partitions), set()).add(identity)
        return await read_standings(self.reader, self.admin, self.topics, self.group, wanted)


async def ordered(source: Source, items: Collection[Item]) -> AsyncGenerator[tuple[Item, Letter] | Lost, None]:
    """The items with their records, each invoice's in order. What is gone is marked as skipped. A `Lost` comes last."""
    queues = {key: deque(queue) for key, queue in by_invoice(items).items()}
    left = {item.summary.at for item in items}
    wanted = {item.summary.at: item for item in items}
    held: dict[Coordinates, Record] = {}
    while left:
        before, size = len(left), sum(record.size for record in held.values())
        records = source.letters()
        async with aclosing(records):
            async for record in records:
                if isinstance(record, Lost):
                    yield record
                    return
                at = record.coordinates
                if at not in left or at in held:
                    continue
                item = wanted[at]
                if queues[item.key][0] is item or size + record.size <= _HELD_BYTES:
                    held[at] = record
                    size += record.size
                for ready, found in _ready(queues[item.key], held):
                    left.discard(ready.summary.at)
                    size -= found.size
                    yield ready, letter_of(ready, found)
        if len(left) < before:
            continue
        # Nothing came: the first of each queue is gone, and whoever waits behind it need not.
        for queue in queues.values():
            if queue:
                gone = queue.popleft()
                gone.skipped = GONE
                left.discard(gone.summary.at)
            for ready, found in _ready(queue, held):
                left.discard(ready.summary.at)
                yield ready, letter_of(ready, found)


def _ready(queue: deque[Item], held: dict[Coordinates, Record]) -> Iterator[tuple[Item, Record]]:
    """Take those from the front whose records came."""
    while queue and (found := held.pop(queue[0].summary.at, None)) is not None:
        yield queue.popleft(), found


def letter_of(item: Item, record: Record) -> Letter:
    """The dead letter of an item."""
    return Letter(record, item.summary.origin, item.summary.reason == _MISROUTED)


async def names_of_misrouted(source: Source, origins: Collection[Item]) -> dict[Coordinates, str] | Lost:
    """Identities of misrouted events, whose dead letters don't tell them, by origin."""
    unnamed = [item for item in origins if item.identity is None and item.summary.reason == _MISROUTED]
    names: dict[Coordinates, str] = {}
    found = ordered(source, unnamed)
    async with aclosing(found):
        async for one in found:
            if isinstance(one, Lost):
                return one
            item, letter = one
            identity = identity_in(letter.record)
            if identity is not None:
                names[item.summary.origin] = identity
    return names


async def examine_replays(
    ground: Ground, items: Collection[Item], decision: Decision, step: Callable[[], None] = lambda: None
) -> Lost | None:
    """Predict what each would do, and skip what would do no good. `step` is called for each."""
    standings = await ground.standings(item.identity for item in items if item.identity is not None)
    if isinstance(standings, Lost):
        return standings
    several = {key for key, queue in by_invoice(items).items() if len(queue) > 1}
    assumed: dict[str, Standing] = {}
    same: dict[Prediction, Prediction] = {}
    stuck: set[str] = set()
    found = ordered(ground.source, items)
    async with aclosing(found):
        async for one in found:
            if isinstance(one, Lost):
                return one
            item, letter = one
            record = as_replay(replay(letter, decision, ground.target), timestamp_ms=letter.record.timestamp_ms)
            rules = ground.rules(standings, record.partition)
            try:
                standing = assumed.get(item.key) or standings.of(item.identity)
            except UnreadableRecordError as error:
                return Lost(LostWhy.REFUSED, str(error))
            prediction, after = predict(record, standing, rules, earlier_is_dead=item.behind or item.key in stuck)
            if letter.misrouted:
                prediction = replace(prediction, moves_to=record.partition)
            # What is equal in thousands is held once.
            item.prediction = prediction = same.setdefault(prediction, prediction)
            if not prediction.worth_sending:
                item.skipped = sys.intern(str(prediction))
                if prediction.kind is not Kind.SENT:
                    stuck.add(item.key)
            elif item.key in several:
                assumed[item.key] = after
            step()
    return None


async def examine_discards(ground: Ground, items: Collection[Item], *, for_good: bool) -> Lost | None:
    """Skip what the worker would refuse: an invoice in doubt is discarded for good or not at all."""
    standings = await ground.standings(item.identity for item in items if item.identity is not None)
    if isinstance(standings, Lost):
        return standings
    for item in items:
        try:
            entry = standings.of(item.identity).entry
        except UnreadableRecordError as error:
            return Lost(LostWhy.REFUSED, str(error))
        if entry is not None and entry.state is State.IN_DOUBT and not for_good:
            item.skipped = "blocked: in doubt; resolve it first, or discard it --for-good"
        elif for_good and item.identity is None:
            item.skipped = "blocked: its invoice can't be read, so only the dead letter can be discarded"
    return None
