"""What the worker would make of an item: its own decoder decides, nothing is judged twice. Pure.

`judge` is the only place where an item meets `worker.decode`.
"""

import zlib
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from schemas.identity import partition_for
from schemas.rules import DEFAULT_POLICY, KEY_DIFFERS, Action, RulePolicy
from worker.checking.items import Broken, Item, Place
from worker.checking.suggestions import suggestion
from worker.decode import DEFAULT_LIMITS, Limits, decode
from worker.model import Command, Decoded, Event, Invalid, Problem, Record

KAFKA_MESSAGE_BYTES: Final = 1_048_588
"""Kafka's default of `max.message.bytes`."""


class Partitioner(StrEnum):
    """How a producer finds the partition of a key: Java's and aiokafka's default, and librdkafka's."""

    MURMUR2 = "murmur2"
    LIBRDKAFKA = "librdkafka"

    def choose(self, key: bytes, count: int) -> int:
        """The partition, of `count`, of a key that is not empty.

        librdkafka's default is `consistent_random`: CRC32 of the key modulo the count (its CONFIGURATION.md).
        """
        return partition_for(key, count) if self is Partitioner.MURMUR2 else zlib.crc32(key) % count


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Rules:
    """How strictly, and for which topic. `partitions` None: where a record goes is not looked at.

    `key`: what the producer uses as every record's key, None for the identity. `commands`: for the replays topic.
    `policy`: what each rule of the contract does.
    """

    limits: Limits = DEFAULT_LIMITS
    partitions: int | None = None
    partitioner: Partitioner = Partitioner.MURMUR2
    key: bytes | None = None
    commands: bool = False
    policy: RulePolicy = DEFAULT_POLICY


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about an item. `advice`: what to do, where there is more to say than the problem's sentence."""

    severity: Severity
    problem: Problem
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """An item and what was found. `decoded` is what the worker would have of it; None when it never became one."""

    place: Place
    decoded: Decoded | None
    findings: tuple[Finding, ...]
    identity: str | None = None
    """The invoice, where it can be read."""
    key: bytes | None = None
    """The record's key as it would be sent."""
    partition: int | None = None
    """Where the record would go; None when it may go anywhere, or when partitions are not looked at."""

    @property
    def valid(self) -> bool:
        """The worker would take it; warnings don't count."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def event_id(self) -> str | None:
        """CloudEvents' id, where there is one."""
        return None if self.decoded is None else self.decoded.envelope.event_id


def judge(item: Item, rules: Rules, *, partition: int | None = None) -> Decoded:
    """What the worker would have of the item in this partition; None: in the right one, wherever that is."""
    record = record_of(item, partition or 0)
    count = 1 if partition is None or rules.partitions is None else rules.partitions
    return decode(record, partition_count=count, commands=rules.commands, limits=rules.limits, rules=rules.policy)


def record_of(item: Item, partition: int) -> Record:
    """The record that the item would be. Its topic and offset stand for where it was read."""
    return Record("events", partition, item.place.line, 0, item.key or None, item.value, item.headers)


def examine(given: Item | Broken, rules: Rules) -> Judged:
    """Everything that the worker, and Kafka with its defaults, would say about an item."""
    if isinstance(given, Broken):
        return Judged(given.place, None, (_finding(Severity.ERROR, given.problem),))
    # The key that the record would have is not known before its identity: until then nothing is said about it.
    keyless = replace(rules, policy=rules.policy.but(KEY_DIFFERS, Action.OFF))
    decoded = judge(given, keyless)
    identity = decoded.identity
    item = replace(given, key=_key(given, identity, rules) or b"")
    partition = _partition(item, rules)
    if partition is not None and identity is not None and partition != _right(identity, rules):
        decoded = judge(item, keyless, partition=partition)
    elif isinstance(decoded, Event) and _tells_of_its_key(item.key, decoded, rules):
        decoded = judge(item, rules, partition=partition)
    problems = decoded.problems if isinstance(decoded, Invalid) else ()
    warnings = [*(decoded.warnings if isinstance(decoded, Event) else ()), *_oddities(item, decoded)]
    findings = [_finding(Severity.ERROR, problem) for problem in problems]
    findings += [warned(problem) for problem in warnings]
    return Judged(item.place, decoded, tuple(findings), identity, item.key or None, partition)


def _tells_of_its_key(key: bytes | None, event: Event, rules: Rules) -> bool:
    # Of a record without a key there is more to say (`no_key`), unless it is refused anyway.
    return key != event.identity.encode() and (bool(key) or rules.policy.action(KEY_DIFFERS) is Action.REJECT)


def _right(identity: str, rules: Rules) -> int:
    return partition_for(identity.encode(), rules.partitions or 1)


def _key(item: Item, identity: str | None, rules: Rules) -> bytes | None:
    """The key that the record would have; None for none."""
    if item.key is not None:
        return item.key or None
    if rules.key is not None:
        return rules.key or None
    return None if identity is None else identity.encode()


def _partition(item: Item, rules: Rules) -> int | None:
    if rules.partitions is None:
        return None
    if item.partition is not None:
        return item.partition
    # librdkafka's default spreads records without a key, and those with an empty one, at random; so does Java's.
    return rules.partitioner.choose(item.key, rules.partitions) if item.key else None


def _oddities(item: Item, decoded: Decoded) -> list[Problem]:
    found = []
    if isinstance(decoded, Event | Command) and decoded.identity is not None:
        if not item.key:
            sentence = f"The record has no key: it needs {_shown(decoded.identity)}."
            found.append(Problem("", "no_key", sentence))
        elif isinstance(decoded, Command) and item.key != decoded.identity.encode():
            found.append(Problem("", KEY_DIFFERS, f"The key is not the identity {_shown(decoded.identity)}."))
    size = record_of(item, 0).size
    if size > KAFKA_MESSAGE_BYTES:
        sentence = f"The record has {size} bytes: more than the {KAFKA_MESSAGE_BYTES} that Kafka takes by default."
        found.append(Problem("", "record_too_large", sentence))
    return found


def _shown(identity: str) -> str:
    return identity if len(identity) <= 200 else f"{identity[:200]}…"


def warned(problem: Problem) -> Finding:
    """A problem that is worth a warning, with what to do about it."""
    return _finding(Severity.WARNING, problem)


def _finding(severity: Severity, problem: Problem) -> Finding:
    return Finding(severity, problem, suggestion(problem.code))
