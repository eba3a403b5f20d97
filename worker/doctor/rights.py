"""What the brokers told of this user's rights, against what the worker needs (docs/how-to/prepare.md). Pure."""

from collections.abc import Iterator
from typing import Final

from worker.doctor.findings import Finding, fail, ok, warn
from worker.kafka.rights import Operation, Told
from worker.model import TopicNames

_AREA: Final = "rights"
_READ: Final = (Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS, Operation.READ)
_WRITE: Final = (Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS, Operation.WRITE)
_NAMES: Final = {
    Operation.READ: "Read",
    Operation.WRITE: "Write",
    Operation.DELETE: "Delete",
    Operation.DESCRIBE: "Describe",
    Operation.DESCRIBE_CONFIGS: "DescribeConfigs",
}


def needed(names: TopicNames) -> dict[str, tuple[Operation, ...]]:
    """By topic."""
    both = (*_READ, Operation.WRITE)
    return {
        names.requests: _READ,
        names.replays: _READ,
        names.journal: (*both, Operation.DELETE),
        names.ledger: both,
        names.outcomes: _WRITE,
        names.dead_letters: _WRITE,
    }


def rights_findings(
    told: Told, names: TopicNames, group: str, session_timeout: float, timeout: float
) -> Iterator[Finding]:
    """`session_timeout` and the transactions' `timeout` in seconds."""
    for topic, operations in needed(names).items():
        if topic in told.topics:
            yield _topic(topic, operations, told.topics[topic])
    yield _group(told, group)
    yield _transactional(told, names, timeout)
    yield from _session(told, session_timeout)


def _topic(topic: str, operations: tuple[Operation, ...], has: frozenset[Operation] | None) -> Finding:
    wanted = ", ".join(_NAMES[operation] for operation in operations)
    if has is None:
        return warn(
            _AREA,
            topic,
            "the broker does not tell what this user may do",
            f"check by hand that it has {wanted} (kafka-acls.sh --list --topic {topic})",
        )
    missing = [operation for operation in operations if operation not in has]
    if not missing:
        return ok(_AREA, topic, f"{wanted}: allowed")
    told = ", ".join(_NAMES[operation] for operation in missing)
    remedy = f"kafka-acls.sh --add --allow-principal User:… --topic {topic} " + " ".join(
        f"--operation {_NAMES[operation]}" for operation in missing
    )
    # Without it the worker runs, and can't check the topic's configs.
    level = warn if missing == [Operation.DESCRIBE_CONFIGS] else fail
    return level(_AREA, topic, f"{told}: not allowed", remedy)


def _group(told: Told, group: str) -> Finding:
    what, wanted = f"group {group}", (Operation.DESCRIBE, Operation.READ)
    remedy = f"kafka-acls.sh --add --allow-principal User:… --group {group} --operation Describe --operation Read"
    if told.group_error is not None:
        return fail(_AREA, what, f"it may not be described ({told.group_error})", remedy)
    if told.group is None:
        return warn(
            _AREA, what, "the broker does not tell what this user may do", "check by hand that it has Describe, Read"
        )
    missing = [_NAMES[operation] for operation in wanted if operation not in told.group]
    if missing:
        return fail(_AREA, what, f"{', '.join(missing)}: not allowed", remedy)
    return ok(_AREA, what, "Describe, Read: allowed")


def _transactional(told: Told, names: TopicNames, timeout: float) -> Finding:
    what = f"transactional ids {names.ledger}.*"
    match told.transactional:
        case None:
            return ok(_AREA, what, f"a producer may start (tried as {names.ledger}.doctor, which is nobody's)")
        case "InvalidTransactionTimeout":
            return fail(
                _AREA,
                what,
                f"the broker's transaction.max.timeout.ms is below KAFKA_TRANSACTION_TIMEOUT ({timeout:g} s)",
                "lower KAFKA_TRANSACTION_TIMEOUT, or raise transaction.max.timeout.ms",
            )
        case "TransactionalIdAuthorizationFailed":
            return fail(
                _AREA,
                what,
                "Describe or Write: not allowed",
                "kafka-acls.sh --add --allow-principal User:… --operation Describe --operation Write "
                f"--resource-pattern-type prefixed --transactional-id {names.ledger}.",
            )
        case other:
            return fail(_AREA, what, f"a producer can't start ({other})", "look at the brokers' logs")


def _session(told: Told, timeout: float) -> Iterator[Finding]:
    least, most = (told.session.get(f"group.{bound}.session.timeout.ms") for bound in ("min", "max"))
    if least is None or most is None:
        return
    what, detail = "KAFKA_SESSION_TIMEOUT", f"{timeout:g} s; the broker allows {least / 1000:g} to {most / 1000:g} s"
    if least <= timeout * 1000 <= most:
        yield ok(_AREA, what, detail)
    else:
        yield fail(_AREA, what, detail, "set KAFKA_SESSION_TIMEOUT within these bounds, or change the broker's")
