"""Somebody in operations: reads the outcomes, looks doubts up at Kravia, decides, and sends the invoice again.

Never lies about what Kravia showed at that moment; but may be slow, or decide twice, so that a verdict can arrive when
the ledger holds another doubt of the same invoice.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from schemas.commands import COMMAND_TYPE
from tests.simulation.chaos import Weather
from tests.simulation.clock import EPOCH
from tests.simulation.kafka import Broker
from tests.simulation.kravia_server import KraviaServer
from tests.simulation.trace import Trace
from worker.model import Coordinates, OutRecord, Partition, TopicNames
from worker.ports import Isolation

Later = Callable[..., object]
"""`loop.call_later`."""


@dataclass(frozen=True, slots=True)
class Case:
    """A doubt that an outcome left to a person, and the record that ended so."""

    identity: str
    doubt: int
    origin: Coordinates


class Person:
    """`look` now and then; `busy` counts what is decided and not written yet."""

    def __init__(
        self,
        rng: random.Random,
        weather: Weather,
        broker: Broker,
        kravia: KraviaServer,
        topics: TopicNames,
        later: Later,
        trace: Trace,
        *,
        late: float,
    ) -> None:
        """`late`: seconds after which a call that was given up on can't be carried out any more (A)."""
        self.busy = 0
        self._random = rng
        self._weather = weather
        self._broker = broker
        self._kravia = kravia
        self._topics = topics
        self._later = later
        self._trace = trace
        self._late = late
        self._commands = 0
        self._read = {partition: 0 for partition in broker.logs if partition.topic == topics.outcomes}

    def look(self) -> None:
        """Read the outcomes that came since; decide about some of those that are in doubt."""
        for partition, position in self._read.items():
            log = self._broker.logs[partition]
            chunk = log.read(position, Isolation.COMMITTED, len(log.entries))
            self._read[partition] = chunk.position
            for record in chunk.records:
                outcome = json.loads(record.value or b"{}")
                if outcome.get("reason") == "in_doubt" and self._random.random() < self._weather.people:
                    origin = Coordinates(*(outcome["origin"][name] for name in ("topic", "partition", "offset")))
                    self._plan(self._late + 20 * self._random.random(), self._decide, _case(outcome, origin))

    def _plan(self, seconds: float, what: Callable[..., None], *args: object) -> None:
        self.busy += 1
        self._later(seconds, self._do, what, *args)

    def _do(self, what: Callable[..., None], *args: object) -> None:
        self.busy -= 1
        what(*args)

    def _decide(self, case: Case) -> None:
        """Look at Kravia's own ledger, then write the verdict: soon or late, once or twice."""
        registered = self._kravia.registrations(case.identity)
        if len(registered) > 1:
            return  # nobody could say which
        roll = self._random.random
        wait = roll() if roll() < 0.6 else 30 * roll()
        self._commands += 1
        name, invoice_id = f"command-{self._commands}", registered[0].id if registered else None
        self._trace.add(f"person: {case.identity} in doubt {case.doubt} is {invoice_id or 'not registered'}")
        self._plan(wait, self._write, self._verdict(case, name, invoice_id))
        self._plan(wait + (0.0 if roll() < 0.3 else 10 * roll()), self._replay, case)
        if roll() < self._weather.twice:
            again = name if roll() < 0.5 else f"{name}-again"
            self._plan(wait + 60 * roll(), self._write, self._verdict(case, again, invoice_id))

    def _replay(self, case: Case) -> None:
        """Send the record that ended in doubt once more."""
        origin = case.origin
        record = self._broker.logs[Partition(origin.topic, origin.partition)].entries[origin.offset].record
        assert record is not None, "an outcome's origin is a record"
        headers = [(name, value) for name, value in record.headers if name != "replay-of"]
        headers.append(("replay-of", str(origin).encode()))
        self._write(OutRecord(self._topics.replays, origin.partition, record.key, record.value, tuple(headers)))

    def _write(self, record: OutRecord) -> None:
        self._broker.append(record)

    def _verdict(self, case: Case, name: str, invoice_id: str | None) -> OutRecord:
        data: dict[str, Any] = {
            "identity": case.identity,
            "doubt": case.doubt,
            "verb": "not_registered" if invoice_id is None else "registered",
            "who": "kari",
            "when": (EPOCH + timedelta(seconds=self._broker.coordinator.now_ms() / 1000)).isoformat(),
            "why": "looked at Kravia",
        }
        if invoice_id is not None:
            data["invoiceId"] = invoice_id
        event = {"ce_specversion": "1.0", "ce_id": name, "ce_source": "/operations", "ce_type": COMMAND_TYPE}
        headers = (
            *((key, text.encode()) for key, text in event.items()),
            ("replay-of", str(case.origin).encode()),
        )
        key = case.identity.encode()
        return OutRecord(self._topics.replays, case.origin.partition, key, json.dumps(data).encode(), headers)


def _case(outcome: Mapping[str, Any], origin: Coordinates) -> Case:
    return Case(outcome["identity"], outcome["doubt"], origin)
