"""What is unfinished and what is wrong, for metrics, probes and `/status`. Nothing here waits or changes anything."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Any

from worker.at_risk import Exposure, Risk, Stake, stake
from worker.backlog import Backlogs
from worker.flow import Creditors
from worker.gate import Gate, GateState
from worker.kafka.consumer import GroupConsumer
from worker.lane import Lane
from worker.model import Event
from worker.partitions import Partitions
from worker.ports import Clock
from worker.standing import State as LedgerState
from worker.telemetry.intake import IntakeGauges
from worker.telemetry.labels import State
from worker.telemetry.metrics import PartitionGauges
from worker.work import Work

_STALL = 30.0
"""Seconds without a poll after which the process is not alive: a poll takes 50 ms; a rebalance says so itself."""
_SHOWN = 50
"""Doubts listed for each partition."""


class Status:
    """Looks at the running parts."""

    def __init__(
        self,
        consumer: GroupConsumer,
        partitions: Partitions,
        gate: Gate,
        clock: Clock,
        backlogs: Backlogs | None = None,
        *,
        group: str = "",
        version: str = "",
        creditors: Creditors | None = None,
        observing: bool = False,
    ) -> None:
        """`observing`: it calls nobody."""
        self._consumer = consumer
        self._partitions = partitions
        self._gate = gate
        self._clock = clock
        self._backlogs = backlogs
        self._group = group
        self._version = version
        self._creditors = creditors
        self._observing = observing

    def livez(self) -> list[str]:
        """Only what a restart can mend: every restart may add doubts. A loop that stands still answers nothing."""
        polled = self._consumer.last_poll
        silent = asyncio.get_running_loop().time() - polled
        stalled = polled and silent > _STALL and self._consumer.problem is None
        found = [f"no poll for {silent:.0f} s"] if stalled else []
        if self._consumer.dead:
            found.append("the group's coordination task has ended")
        return [*found, *self._partitions.broken]

    def readyz(self) -> list[str]:
        """What keeps events from being handled now."""
        problems = self._partitions.problems()
        if self._consumer.problem is not None:
            problems.append(self._consumer.problem)
        if self._gate.state is GateState.CLOSED:
            problems.append(f"the gate is closed: {self._gate.why}")
        return problems

    def gauges(self) -> Iterable[PartitionGauges]:
        """For each owned partition, at each scrape."""
        for lane in self._partitions.lanes():
            works = list(lane.unfinished())
            doubts = [work.course.doubt for work in works if work.course and work.course.doubt]
            oldest = min((doubt.since for doubt in doubts), default=None)
            now = self._clock.now()
            yield PartitionGauges(
                lane.own.partition,
                Counter(State.of(work.state) for work in works),
                _age(lane, self._clock),
                lane.own.open_intents,
                sum(work.record.size for work in works),
                len(doubts),
                0.0 if oldest is None else max(0.0, (now - oldest).total_seconds()),
                dict(lane.own.table.counts),
                lane.own.table.doubles,
                _exposure(lane, works),
            )

    def intake(self) -> IntakeGauges:
        """How the intake stands, at each scrape."""
        now = self._clock.now()
        lanes = {lane.own.partition: lane for lane in self._partitions.lanes()}
        lags = {
            partition: max(0, end - lanes[partition.number].own.prefixes[partition.topic].next)
            for partition, end in self._consumer.high_watermarks().items()
            if partition.number in lanes
        }
        facts = {
            number: 0.0 if (since := lane.own.oldest_fact) is None else max(0.0, (now - since).total_seconds())
            for number, lane in lanes.items()
        }
        member = self._consumer.problem is None
        return IntakeGauges(
            member,
            self._consumer.fetch_age(now),
            self._partitions.served(),
            self._partitions.lost(),
            lags,
            facts,
            self._gate.pace.taken,
            self._gate.pace.limit,
        )

    def report(self) -> dict[str, Any]:
        """`/status`: JSON. Identities and coordinates are named, nothing else of an event."""
        problems = self.readyz()
        total = Exposure()
        for lane in self._partitions.lanes():
            total.merge(_exposure(lane, lane.unfinished()))
        return {
            "at": self._clock.now().isoformat(timespec="seconds"),
            "group": self._group,
            "version": self._version,
            "ready": not problems,
            "problems": problems,
            "dead": self.livez(),
            "observing": self._observing,
            "not_member": self._consumer.problem,
            "not_served": [
                {"partition": number, "why": why} for number, why in sorted(self._partitions.unserved().items())
            ],
            "gate": self._at_gate(),
            "paused_creditors": [
                {"creditor": creditor, "answered_403": times, "next_try_in_seconds": round(seconds, 1)}
                for creditor, times, seconds in ([] if self._creditors is None else self._creditors.paused())
            ],
            "money_at_risk": total.report(),
            "partitions": [
                self._partition(lane) for lane in sorted(self._partitions.lanes(), key=lambda lane: lane.own.partition)
            ],
        }

    def _at_gate(self) -> dict[str, Any]:
        gate = self._gate
        return {
            "state": gate.state.value,
            "why": gate.why,
            "since": gate.since.isoformat(timespec="seconds"),
            "next_probe_in_seconds": _rounded(gate.probe_in()),
        }

    def _partition(self, lane: Lane) -> dict[str, Any]:
        works = list(lane.unfinished())
        head = min(works, key=lambda work: (work.envelope.time, work.record.offset), default=None)
        own = lane.own
        return {
            "partition": own.partition,
            "owner": own.owner,
            "next": {topic: prefix.next for topic, prefix in own.prefixes.items()},
            "heads": self._heads(lane, works),
            "backlog": self._backlog(own.partition),
            "unfinished": Counter(work.state for work in works),
            "oldest": None if head is None else self._work(head),
            "oldest_seconds": _age(lane, self._clock),
            "ledger": {state.value: own.table.counts[state] for state in LedgerState},
            "possible_double_registers": own.table.doubles,
            "money_at_risk": _exposure(lane, works).report(),
            "doubts": [self._work(work) for work in works if work.course and work.course.doubt][:_SHOWN],
        }

    def _heads(self, lane: Lane, works: list[Work]) -> dict[str, Any]:
        """By input: the event at the offset that would be committed, which holds up all behind it."""
        at = {(work.record.topic, work.record.offset): work for work in works}
        heads = {topic: at.get((topic, prefix.next)) for topic, prefix in lane.own.prefixes.items()}
        return {topic: self._work(work) for topic, work in heads.items() if work is not None}

    def _backlog(self, partition: int) -> dict[str, float | None] | None:
        found = None if self._backlogs is None else self._backlogs.of(partition)
        if found is None:
            return None
        return {
            "behind": found.behind,
            "settled_per_second": _rounded(found.settled),
            "arriving_per_second": _rounded(found.arriving),
            "seconds_to_catch_up": _rounded(found.catch_up),
            "looked_seconds_ago": _rounded(found.age),
        }

    def _work(self, work: Work) -> dict[str, Any]:
        """One event: where it stands, and what it waits for."""
        told: dict[str, Any] = {
            "record": str(work.record.coordinates),
            "event": work.envelope.event_id,
            "time": work.envelope.time.isoformat(timespec="seconds"),
            "age_seconds": round(max(0.0, (self._clock.now() - work.envelope.time).total_seconds()), 1),
            "identity": work.decoded.identity,
            "state": work.state,
            "waiting_for": self._gate.why if work.state == "gate" else None,
        }
        course = work.course
        if course is None:
            return told
        if course.history().attempts or not (work.ended or course.waiting == "queued"):
            # Else it names no call: it came to none, or the first one may be any.
            told |= {"step": course.step.value, "tries": course.tries, "last_answer": course.last_class}
        if course.waiting == "backoff" and course.retry_at is not None:
            told["retry_in_seconds"] = round(max(0.0, course.retry_at - self._clock.monotonic()), 1)
            if self._creditors is not None and self._creditors.is_paused(creditor := course.event.creditor_id):
                told["paused_creditor"] = creditor
        if course.doubt is not None:
            now = self._clock.boottime()
            told["doubt"] = {
                "intent": course.doubt.intent,
                "since": course.doubt.since.isoformat(),
                "believed_in_seconds": round(max(0.0, course.doubt.ripe - now), 1),
                "given_up_in_seconds": round(max(0.0, course.doubt.expires - now), 1),
            }
        return told


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _exposure(lane: Lane, works: Iterable[Work]) -> Exposure:
    """The ledger's, and that of events under way: an invoice that is replayed counts where it stands now, once."""
    exposure = lane.own.table.exposure.copy()
    for work in works:
        now = _at_stake(work)
        if now is None:
            continue
        if (before := lane.own.table.stake(work.key.encode())) is not None:
            exposure.add(before, -1)
        exposure.add(now)
    return exposure


def _at_stake(work: Work) -> Stake | None:
    if work.ended or work.course is None or not isinstance(work.decoded, Event):
        return None
    if work.course.doubt is not None:
        return stake(Risk.IN_DOUBT, work.decoded.amount, work.decoded.currency)
    if work.course.waiting == "gate":
        return stake(Risk.BEHIND_GATE, work.decoded.amount, work.decoded.currency)
    return None


def _age(lane: Lane, clock: Clock) -> float:
    oldest = lane.oldest()
    return 0.0 if oldest is None else max(0.0, (clock.now() - oldest).total_seconds())
