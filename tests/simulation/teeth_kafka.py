"""The safeguards of journal, ledger, fencing and membership, each taken out for a run."""

import asyncio
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from types import SimpleNamespace
from typing import Any

from tests.simulation import samples, world
from tests.simulation.chaos import Chaos
from tests.simulation.kafka_consumer import SimConsumer
from tests.simulation.process import Process
from tests.simulation.teeth import Context, Tooth, stormy, swap
from worker import register
from worker.answers import Answer, Registered
from worker.course import Course
from worker.doubt import identity_of
from worker.facts import Fact, Kind
from worker.lane import Lane
from worker.model import Coordinates, OutRecord, Partition, Step, TopicNames
from worker.ownership.config import OwnershipConfig, Ports
from worker.ownership.group_commit import GroupCommit
from worker.ownership.journal import Journal
from worker.ownership.ownership import Ownership
from worker.ownership.validity import Age
from worker.ports import Acked, Committed, Isolation, LogAdmin, LogProducer, Lost
from worker.saga import register_fact
from worker.tools import Tools

# By its name in `sys.modules`: the package gives functions of the same names.
takeover: Any = sys.modules["worker.ownership.takeover"]
restore: Any = sys.modules["worker.ownership.restore"]


_WRITE = Journal.write

# Intent and call


async def _call(
    tools: Tools, course: Course, *, wait: bool = True, reuse: bool = False, negative: bool = True
) -> tuple[Answer, int] | Lost:
    """`worker.register._call`, less a safeguard. `reuse`: the intent of a call that was not carried out."""
    event, own = course.event, course.own
    origin = event.envelope.origin
    course.begin(Step.REGISTER)
    age = own.journal.age()
    last = course.progress.attempts[-1] if course.progress.attempts else None
    intent: int | Lost
    writing = None
    if reuse and last is not None and last.owner == own.owner and last.answer is Kind.NOT_CARRIED_OUT:
        intent = last.intent
    else:
        writing = asyncio.ensure_future(own.write(origin, own.fact(Kind.INTENT, event), age))
        intent = await writing if wait else -1
    if isinstance(intent, Lost):
        return intent
    answer = await tools.api.register(event.body, age)
    if writing is not None and isinstance(intent := await writing, Lost):
        return intent
    kind, answer_class = register_fact(answer)
    invoice_id = None
    if isinstance(answer, Registered):
        invoice_id = answer.invoice_id
        tools.reconciler.registered(invoice_id, identity_of(event), age.boottime)
    if negative or kind is not Kind.NOT_CARRIED_OUT:
        fact = own.fact(kind, event, intent=intent, invoice_id=invoice_id, answer_class=answer_class)
        written = await own.write(origin, fact)
        if isinstance(written, Lost):
            return written
    return answer, intent


def _calls(**less: bool) -> Context:
    return swap((register, "_call", lambda tools, course: _call(tools, course, **less)))


# Fencing and take-over


@contextmanager
def _ids_of_their_own() -> Iterator[None]:
    number = count()

    def ids(ledger: str, partition: int) -> tuple[str, str]:
        taken = next(number)
        return f"{ledger}.{partition}.journal.{taken}", f"{ledger}.{partition}.settle.{taken}"

    with swap((takeover, "transactional_ids", ids))():
        yield


@contextmanager
def _offsets_read_first() -> Iterator[None]:
    """What the look before the claim saw is what counts."""
    read, take = takeover._committed, takeover._take_over
    known: dict[tuple[int, int], dict[str, Committed | None] | Lost] = {}

    async def take_over(
        config: OwnershipConfig, ports: Ports, partition: int, producers: tuple[LogProducer, LogProducer]
    ) -> Ownership | Lost:
        known.pop((id(ports.admin), partition), None)
        return await take(config, ports, partition, producers)  # type: ignore[no-any-return]  # by its name

    async def committed(config: OwnershipConfig, admin: LogAdmin, partition: int) -> dict[str, Committed | None] | Lost:
        if (id(admin), partition) not in known:
            known[id(admin), partition] = await read(config, admin, partition)
        return known[id(admin), partition]

    with swap((takeover, "_take_over", take_over), (takeover, "_committed", committed))():
        yield


async def _write_all_but_claims(self: Journal, fact: Fact, age: Age | None = None) -> int | Lost:
    return 0 if fact.kind is Kind.CLAIM else await _WRITE(self, fact, age)


@contextmanager
def _crossings() -> Iterator[None]:
    """A weather: a process freezes between the starts of its producers, for as long as another takes over."""

    def moment(self: Chaos, process: Process, where: str) -> None:
        if where.startswith("init ") and ".journal " in where and self.random.random() < 0.3:
            self.hit(process, where)

    def span(self: Chaos) -> float:
        return 8 + 6 * self.random.random()

    swaps = swap((Chaos, "moment", moment), (Chaos, "span", span))
    with swaps(), stormy(delay=0.0, strikes=4, crashes=0.0, api=0.5)():
        yield


@contextmanager
def _inherited_forgotten() -> Iterator[None]:
    make = Ownership.__init__

    def init(self: Ownership, *args: Any) -> None:
        make(self, *args)
        self._floors.clear()

    with swap((Ownership, "__init__", init))():
        yield


async def _proven(*_: object) -> None:
    return None


# Settling


async def _transaction(self: GroupCommit, ledger: list[OutRecord], results: list[OutRecord]) -> Acked | Lost:
    """`GroupCommit._transaction` that leaves the records' futures alone."""
    if (lost := await self._producer.begin()) is not None:
        return lost
    records = [*ledger, *results]
    sending = asyncio.ensure_future(self._producer.send(records)) if records else None
    await asyncio.sleep(0)
    offsets = self._offsets()
    if offsets != self._sent_offsets:
        number = self._config.partition.number
        moved = {Partition(topic, number): Committed(offset, self._mark()) for topic, offset in offsets.items()}
        if (lost := await self._producer.send_offsets(self._config.group, moved)) is not None:
            return lost
    if (lost := await self._producer.commit()) is not None:
        return lost
    self._sent_offsets = offsets
    sent = await sending if sending is not None else Acked(())
    return Acked((0,) * len(records)) if isinstance(sent, Lost) else sent


@contextmanager
def _many_replays() -> Iterator[None]:
    """A weather: every other request comes on `replays` first, and there are many crashes."""

    def drawn(rng: random.Random, topics: TopicNames, partitions: int, until: float) -> list[samples.Sample]:
        once = samples.draw(rng, topics, partitions, until)
        more = []
        for sample in once:
            record = sample.record
            if record.topic == topics.requests and rng.random() < 0.5:
                again = (("replay-of", str(Coordinates(record.topic, record.partition, 0)).encode()),)
                replay = replace(record, topic=topics.replays, headers=record.headers + again)
                more.append(samples.Sample(max(0.0, sample.at - 3 * rng.random()), replay))
        return sorted([*once, *more], key=lambda sample: sample.at)

    with swap((world, "draw", drawn))(), stormy(strikes=6, strike=0.03)():
        yield


_SETTLED_FORGOTTEN = swap((Lane, "_is_settled", lambda _self, _work: False))

TEETH: dict[str, Tooth] = {
    "intent-acknowledged": Tooth(
        "the intent is acknowledged before register goes out", _calls(wait=False), 9, "REGISTERED 2 TIMES"
    ),
    "fencing": Tooth(
        "the take-over fences: transactional ids belong to the partition", _ids_of_their_own, 22, "OUTCOMES"
    ),
    "journal-uncommitted": Tooth(
        "the journal is read uncommitted",
        swap((restore, "Isolation", SimpleNamespace(COMMITTED=Isolation.COMMITTED, UNCOMMITTED=Isolation.COMMITTED))),
        3,
        "REGISTERED 2 TIMES",
    ),
    "claim": Tooth(
        "the journal's producer writes a claim after both have started",
        swap((Journal, "write", _write_all_but_claims)),
        3,
        "after another owner had begun",
        weather=_crossings,
    ),
    "settled-offsets": Tooth("the ledger says which records are settled", _SETTLED_FORGOTTEN, 3, "2 OUTCOMES"),
    "offset-after-fencing": Tooth(
        "the committed offset is read after fencing",
        _offsets_read_first,
        5,
        "2 OUTCOMES",
        masked_by="settled-offsets",
        mask=_SETTLED_FORGOTTEN,
    ),
    "negative-facts": Tooth("that a call was not carried out is journaled", _calls(negative=False), 8, "two registers"),
    "membership": Tooth(
        "membership is proved before a take-over is repeated",
        swap((SimConsumer, "prove_membership", _proven)),
        359,
        "a stale member",
    ),
    "record-futures": Tooth(
        "each record's acknowledgement is awaited before the commit",
        swap((GroupCommit, "_transaction", _transaction)),
        19,
        "0 OUTCOMES",
    ),
    "intent-each": Tooth("each call has an intent of its own", _calls(reuse=True), 85, "REGISTERED 2 TIMES"),
    "inherited-facts": Tooth(
        "the trim keeps inherited facts", _inherited_forgotten, 37, "REGISTERED 2 TIMES", weather=stormy(strikes=6)
    ),
    "other-input": Tooth(
        "an event waits for the other one of its identity of which facts are inherited",
        swap((Ownership, "must_wait", lambda _self, _identity, _origin: False)),
        74,
        "REGISTERED 2 TIMES",
        weather=_many_replays,
    ),
}
