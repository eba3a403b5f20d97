"""A run: sends what a plan is worth, paced, watched, in the order of each invoice's events; what was sent is known.

A run can end at any moment and be resumed by its name. Its records say so themselves (`command-run`), and one that is
sent twice has no effect: its command's id is the same.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from schemas.commands import COMMAND_RUN, REPLAY_OF
from schemas.outcomes import OUTCOME
from worker.deadletters.examine import ordered
from worker.deadletters.outbox import Followed, Outbox
from worker.deadletters.plan import Item, canaries
from worker.deadletters.sending import Decision, Target, command_id, discard, replay
from worker.deadletters.source import Source
from worker.deadletters.stopping import WELL, Tally, result_of
from worker.model import Coordinates, OutRecord, Partition, Record
from worker.ports import Clock, Isolation, LogReader, Lost
from worker.replayed import REPLAY, coordinates

Sending = AsyncGenerator[tuple[Item, OutRecord] | Lost, None]

_BATCH: Final = 200
_BATCH_BYTES: Final = 4 * 1024 * 1024
_POLL: Final = 0.2


@dataclass(frozen=True, slots=True)
class Pace:
    """`rate`: records a second, at most. `wait`: follow the outcomes; `timeout`: seconds without one until it gives up.

    `stop_after`: failures in a row that end it; None: none do. `window`: records without an outcome, at most.
    """

    rate: float | None = None
    wait: bool = False
    canary: bool = False
    stop_after: int | None = 5
    timeout: float = 600.0
    window: int = 100


@dataclass(slots=True)
class Report:
    """What a run came to, up to date at every moment of it. `left`: not sent since it stopped."""

    sent: int = 0
    tally: Tally = field(default_factory=Tally)
    waiting: int = 0
    """Sent, and no outcome seen (or not waited for)."""
    left: int = 0
    stopped: str | None = None


class Run:
    """One run over items that were examined."""

    def __init__(
        self,
        decision: Decision,
        verb: str,
        pace: Pace,
        outbox: Outbox,
        followed: Followed,
        clock: Clock,
        changed: Callable[[Report], None],
    ) -> None:
        """`verb`: of its commands; `changed` is called whenever the report has changed."""
        self.report = Report(tally=Tally(pace.stop_after if pace.wait or pace.canary else None))
        self._decision = decision
        self._verb = verb
        self._pace = pace
        self._outbox = outbox
        self._followed = followed
        self._clock = clock
        self._changed = changed
        self._open: dict[str, tuple[str, Item]] = {}
        """By origin as text: the command's id, and whose it is."""
        self._follows = pace.wait or pace.canary
        self._next = 0.0
        self._heard = 0.0

    async def go(self, items: Collection[Item], records: Callable[[Collection[Item]], Sending]) -> Lost | None:
        """Send these; `records` makes their records, each invoice's in order. None: it came to its end, or stopped."""
        worth = [item for item in items if item.skipped is None]
        if self._follows and (lost := await self._followed.start()) is not None:
            return lost
        try:
            if self._pace.canary:
                first = canaries(worth)
                lost = await self._phase(first, records) or await self._settle(0)
                if lost is not None:
                    return lost
                if self.report.stopped is None:
                    _keep_well(worth, first)
            if self.report.stopped is None:
                lost = await self._phase([item for item in worth if not item.sent and item.skipped is None], records)
                if lost is None and self._pace.wait:
                    lost = await self._settle(0)
                return lost
            return None
        finally:
            self.report.left = sum(not item.sent and item.skipped is None for item in worth)
            await self._followed.close()

    async def _phase(self, items: Collection[Item], records: Callable[[Collection[Item]], Sending]) -> Lost | None:
        batch: list[tuple[Item, OutRecord]] = []
        size = 0
        most = _BATCH if self._pace.rate is None else max(1, min(_BATCH, int(self._pace.rate / 10)))
        found = records(items)
        async with aclosing(found):
            async for one in found:
                if isinstance(one, Lost):
                    return one
                batch.append(one)
                size += len(one[1].value or b"")
                if len(batch) >= most or size >= _BATCH_BYTES:
                    if (lost := await self._flush(batch)) is not None:
                        return lost
                    if self.report.stopped is not None:
                        return None
                    batch, size = [], 0
        return await self._flush(batch)

    async def _flush(self, batch: list[tuple[Item, OutRecord]]) -> Lost | None:
        if not batch:
            return None
        if self._pace.rate is not None:
            now = self._clock.monotonic()
            await asyncio.sleep(max(0.0, self._next - now))
            self._next = max(now, self._next) + len(batch) / self._pace.rate
        sent = await self._outbox.send([record for _, record in batch])
        if isinstance(sent, Lost):
            return sent
        for item, _ in batch:
            item.sent = True
            origin = item.summary.origin
            if self._follows:
                self._open[str(origin)] = (command_id(self._decision.run, origin, self._verb), item)
        self._heard = self._clock.monotonic()
        self.report.sent += len(batch)
        self.report.waiting += len(batch)
        self._changed(self.report)
        return await self._settle(self._pace.window) if self._pace.wait else None

    async def _settle(self, most: int) -> Lost | None:
        """Wait until at most so many have no outcome yet; stops the run where that is due."""
        while len(self._open) > most and self.report.stopped is None:
            records = await self._followed.poll(_POLL)
            if isinstance(records, Lost):
                return records
            now = self._clock.monotonic()
            for record in records:
                if self._take(record):
                    self._heard = now
            if now - self._heard > self._pace.timeout:
                self.report.stopped = f"no outcome for {self._pace.timeout:g} s: is the worker running?"
        return None

    def _take(self, record: Record) -> bool:
        """Whether this is the outcome of something that we sent."""
        origin = next((value for name, value in record.headers if name == REPLAY_OF), b"").decode("latin-1")
        if origin not in self._open:
            return False
        identifier, item = self._open[origin]
        try:
            outcome = OUTCOME.validate_json(record.value or b"")
        except ValueError:
            return False  # of a newer version: whoever waits for it runs into the time-out
        if outcome.command is None or outcome.command.id != identifier:
            return False
        del self._open[origin]
        item.result = result_of(outcome)
        self.report.tally.take(outcome)
        self.report.waiting -= 1
        self.report.stopped = self.report.stopped or self.report.tally.stop
        self._changed(self.report)
        return True


def _keep_well(items: Iterable[Item], first: Iterable[Item]) -> None:
    """Leave out the groups whose canary did not go well, and what would overtake an event that is left out."""
    results = {one.summary.fingerprint: one.result for one in first}
    held = {one.key for one in first if not _well(one.result)}
    for item in items:
        if item.sent:
            continue
        result = results.get(item.summary.fingerprint)
        if not _well(result):
            item.skipped = f"left out: its group's canary ended {result or 'nowhere'}"
        elif item.key in held:
            item.skipped = "left out: an earlier event of this invoice was, or failed again"
        if item.skipped is not None:
            held.add(item.key)


def _well(result: str | None) -> bool:
    return result is not None and result.split(" ", 1)[0] in WELL


async def replays(source: Source, items: Collection[Item], decision: Decision, target: Target) -> Sending:
    """Their records, to be sent again."""
    found = ordered(source, items)
    async with aclosing(found):
        async for one in found:
            if isinstance(one, Lost):
                yield one
            else:
                item, letter = one
                yield item, replay(letter, decision, target)


async def discards(items: Collection[Item], decision: Decision, target: Target, *, for_good: bool) -> Sending:
    """Commands that discard them."""
    for item in items:
        yield item, discard(item.summary.origin, item.identity, decision, target, for_good=for_good)


async def sent_before(reader: LogReader, topic: str, partitions: int, run: str) -> set[Coordinates] | Lost:
    """Origins of the records that a run of this name has written to the replay topic."""
    origins: set[Coordinates] = set()
    name = run.encode()

    def take(records: Iterable[Record]) -> None:
        for record in records:
            headers: Mapping[str, bytes] = dict(record.headers)
            if headers.get(COMMAND_RUN) == name and REPLAY_OF in headers:
                origins.add(coordinates(headers[REPLAY_OF].decode("latin-1")))

    for number in range(partitions):
        # Nothing there is in a transaction, so everything that was acknowledged counts.
        end = await reader.read_to_end(Partition(topic, number), Isolation.UNCOMMITTED, take)
        if isinstance(end, Lost):
            return end
    return origins


def summary(items: Iterable[Item]) -> Counter[str]:
    """How many of each prediction, and of each reason for which something is left out."""
    return Counter(
        item.skipped or (str(item.prediction) if item.prediction is not None else "will be sent") for item in items
    )


__all__ = ["REPLAY", "Pace", "Report", "Run", "discards", "replays", "sent_before", "summary"]
