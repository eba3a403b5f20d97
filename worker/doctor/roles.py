"""Who needs which rights where the brokers check them, and what fails without each. Pure.

`docs/` has the same as tables; a test holds them together, and another takes each right away on a real broker. Read,
Write and Delete bring Describe along (Kafka's `AclEntry`), so Describe stands only where there is nothing else.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from shlex import quote
from typing import Final

from worker.kafka.rights import Operation
from worker.model import TopicNames

_READ, _WRITE, _DESCRIBE, _CONFIGS = (
    Operation.READ,
    Operation.WRITE,
    Operation.DESCRIBE,
    Operation.DESCRIBE_CONFIGS,
)


class Kind(StrEnum):
    """Kinds of resources, as options of kafka-acls.sh."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional-id"


@dataclass(frozen=True, slots=True)
class Right:
    """One operation on one resource. `without`: what fails when it is missing; `vital`: the worker's work does."""

    kind: Kind
    name: str
    operation: Operation
    without: str
    prefixed: bool = False
    vital: bool = True

    @property
    def resource(self) -> str:
        """In words."""
        match self.kind:
            case Kind.TOPIC:
                return self.name
            case Kind.GROUP:
                return f"group {self.name}"
            case Kind.TRANSACTIONAL_ID:
                return f"transactional ids {self.name}{'*' if self.prefixed else ''}"

    def __str__(self) -> str:
        return f"{self.resource}: {self.operation.told}"


def worker(names: TopicNames, group: str) -> tuple[Right, ...]:
    """`worker run`, and `worker topics check`. Each resource's stand together."""

    def topic(name: str, **rights: str) -> list[Right]:
        found = [Right(Kind.TOPIC, name, Operation[operation], without) for operation, without in rights.items()]
        return [*found, Right(Kind.TOPIC, name, _CONFIGS, "whether its configs are safe can't be checked", vital=False)]

    return (
        *topic(names.requests, READ="no event is read"),
        *topic(names.replays, READ="no event and no replay is read"),
        *topic(
            names.journal,
            READ="no partition can be taken over",
            WRITE="nothing can be registered, since no intent can be written down",
            DELETE="it is never trimmed (DeleteRecords) and grows without bound",
        ),
        *topic(
            names.ledger,
            READ="once it holds anything, the worker refuses to start: it can't see whose ledger it is",
            WRITE="no partition can be taken over, and nothing settled",
        ),
        *topic(names.outcomes, WRITE="nothing can be settled"),
        *topic(names.dead_letters, WRITE="what does not end well can't be settled, and stops its partition"),
        Right(Kind.GROUP, group, _READ, "the group can't be joined, and no offset committed"),
        Right(
            Kind.TRANSACTIONAL_ID,
            f"{names.ledger}.",
            _WRITE,
            "no partition can be taken over: all is written in transactions",
            prefixed=True,
        ),
    )


def admin(names: TopicNames) -> tuple[Right, ...]:
    """`worker topics create`."""
    topic = Kind.TOPIC
    return (
        *(Right(topic, name, Operation.CREATE, "it can't be made") for name in _all(names)),
        *(Right(topic, name, _DESCRIBE, "whether it is there is not told") for name in _all(names)),
        *(Right(topic, name, _CONFIGS, "whether it is as it must be is not told") for name in _all(names)),
    )


def operator(names: TopicNames, group: str) -> tuple[Right, ...]:
    """`worker dead-letters …` with replay, resolve, edit and discard; `worker why`."""
    topic = Kind.TOPIC
    return (
        Right(topic, names.dead_letters, _READ, "dead letters can't be seen"),
        Right(topic, names.outcomes, _READ, "how a dead letter stands can't be told"),
        Right(topic, names.requests, _READ, "what an edit changed, and where an invoice is, can't be told"),
        Right(topic, names.replays, _READ, "what an edit changed, and where an invoice is, can't be told"),
        Right(topic, names.ledger, _READ, "what a replay would do can't be told"),
        Right(topic, names.journal, _READ, "what a replay would do can't be told"),
        Right(topic, names.replays, _WRITE, "nothing can be replayed, resolved, edited or discarded"),
        Right(Kind.GROUP, group, _DESCRIBE, "how far the worker has come can't be told"),
    )


def finance(names: TopicNames, group: str) -> tuple[Right, ...]:
    """`worker statement`."""
    topic = Kind.TOPIC
    return (
        *(
            Right(topic, name, _READ, "invoices can't be accounted for")
            for name in (names.requests, names.replays, names.ledger, names.outcomes)
        ),
        *(Right(topic, name, _DESCRIBE, "the statement is refused") for name in (names.journal, names.dead_letters)),
        Right(Kind.GROUP, group, _DESCRIBE, "what is still waiting can't be told"),
    )


def producer(names: TopicNames) -> tuple[Right, ...]:
    """Whoever writes invoice events; `worker emit`."""
    return (Right(Kind.TOPIC, names.requests, _WRITE, "no event can be sent"),)


def reader(names: TopicNames, group: str) -> tuple[Right, ...]:
    """Whoever reads outcomes, in a group of its own."""
    return (
        Right(Kind.TOPIC, names.outcomes, _READ, "no outcome can be read"),
        Right(Kind.GROUP, group, _READ, "its group can't be joined"),
    )


_ACLS: Final = "kafka-acls.sh --bootstrap-server"


def commands(rights: Iterable[Right], user: str, bootstrap_servers: str) -> Iterator[str]:
    """What grants them, one command for each resource; its caller adds `--command-config` with an admin's login.

    `user`: Kafka's principal, as `User:invoice-worker`.
    """

    def resource(right: Right) -> tuple[Kind, str, bool]:
        return right.kind, right.name, right.prefixed

    for (kind, name, prefixed), wanted in groupby(sorted(rights, key=resource), resource):
        words = [_ACLS, bootstrap_servers, "--add --allow-principal", quote(user)]
        words += [f"--operation {right.operation.told}" for right in wanted]
        words += ["--resource-pattern-type prefixed"] if prefixed else []
        yield " ".join([*words, f"--{kind}", quote(name)])


def _all(names: TopicNames) -> tuple[str, ...]:
    return (*names.inputs, names.journal, names.ledger, names.outcomes, names.dead_letters)
