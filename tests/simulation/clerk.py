"""Somebody who clears dead letters: replays them, edits them, discards them, at any moment and now and then twice.

Never decides about a doubt (that is `Person`'s), and knows nothing of what the ledger holds by the time that a command
arrives: an original of the same invoice may be under way, or another command.
"""

import json
import random
from collections.abc import Callable
from typing import Any, Final

from schemas.commands import COMMAND_TYPE
from tests.simulation.chaos import Weather
from tests.simulation.clock import EPOCH
from tests.simulation.kafka import Broker
from tests.simulation.trace import Trace
from worker.model import Coordinates, OutRecord, Partition, TopicNames
from worker.ports import Isolation

_ROUNDS: Final = 3
"""Commands about one record and what became of it, so that a run comes to its end."""
Later = Callable[..., object]


class Clerk:
    """`look` now and then; `busy` counts what is decided and not written yet."""

    def __init__(
        self, rng: random.Random, weather: Weather, broker: Broker, topics: TopicNames, later: Later, trace: Trace
    ) -> None:
        self.busy = 0
        self._random = rng
        self._weather = weather
        self._broker = broker
        self._topics = topics
        self._later = later
        self._trace = trace
        self._commands = 0
        self._rounds: dict[str, int] = {}
        self._read = {partition: 0 for partition in broker.logs if partition.topic == topics.outcomes}

    def look(self) -> None:
        """Read the outcomes that came since; clear some of what did not end well."""
        for partition, position in self._read.items():
            log = self._broker.logs[partition]
            chunk = log.read(position, Isolation.COMMITTED, len(log.entries))
            self._read[partition] = chunk.position
            for record in chunk.records:
                outcome = json.loads(record.value or b"{}")
                if outcome["outcome"] in ("rejected", "failed") and outcome.get("identity"):
                    self._consider(outcome)

    def _consider(self, outcome: dict[str, Any]) -> None:
        at = Coordinates(*(outcome["origin"][name] for name in ("topic", "partition", "offset")))
        first = outcome.get("replayOf", str(at))
        if self._rounds.get(first, 0) >= _ROUNDS or self._random.random() >= self._weather.clerks:
            return
        record = self._broker.logs[Partition(at.topic, at.partition)].entries[at.offset].record
        assert record is not None, "an outcome's origin is a record"
        headers = dict(record.headers)
        if headers.get("ce_type") == COMMAND_TYPE.encode() or record.value is None:
            return
        self._rounds[first] = self._rounds.get(first, 0) + 1
        self._commands += 1
        name = f"clerk-{self._commands}"
        verb = self._random.choice(("replay", "replay", "edit", "discard"))
        self._trace.add(f"clerk: {verb} {outcome['identity']} ({first})")
        if verb == "discard":
            made = self._discard(name, first, outcome["identity"], at.partition)
        else:
            own = tuple((key, text) for key, text in record.headers if not key.startswith(("command-", "replay-of")))
            value = _edited(record.value) if verb == "edit" else record.value
            made = OutRecord(
                self._topics.replays, at.partition, record.key, value, (*own, *_audit(name, verb, first, self._now()))
            )
        wait = 20 * self._random.random()
        self._plan(wait, made)
        if self._random.random() < self._weather.twice:
            self._plan(wait + 30 * self._random.random(), made)

    def _plan(self, seconds: float, record: OutRecord) -> None:
        self.busy += 1
        self._later(seconds, self._write, record)

    def _write(self, record: OutRecord) -> None:
        self.busy -= 1
        self._broker.append(record)

    def _now(self) -> str:
        return EPOCH.isoformat()

    def _discard(self, name: str, first: str, identity: str, partition: int) -> OutRecord:
        data = {
            "verb": "discard",
            "identity": identity,
            "forGood": self._random.random() < 0.3,
            "who": "ola",
            "when": self._now(),
            "why": "not needed",
        }
        event = {"ce_specversion": "1.0", "ce_id": name, "ce_source": "/operations", "ce_type": COMMAND_TYPE}
        headers = (*((key, text.encode()) for key, text in event.items()), ("replay-of", first.encode()))
        return OutRecord(self._topics.replays, partition, identity.encode(), json.dumps(data).encode(), headers)


def _audit(name: str, verb: str, first: str, when: str) -> tuple[tuple[str, bytes], ...]:
    texts = {
        "replay-of": first,
        "command-id": name,
        "command-verb": verb,
        "command-who": "ola",
        "command-when": when,
        "command-why": "the bad night",
    }
    return tuple((key, text.encode()) for key, text in texts.items())


def _edited(value: bytes) -> bytes:
    """The event with another text, which makes another register body."""
    data = json.loads(value)
    if isinstance(data, dict) and isinstance(data.get("invoice"), dict):
        data["invoice"]["description"] = "corrected"
    return json.dumps(data).encode()
