"""What the brokers told of this user's rights, against what the worker needs (`roles`). Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from worker.doctor.findings import Finding, fail, ok, warn
from worker.doctor.roles import Kind, Right, commands, worker
from worker.kafka.rights import Told
from worker.model import TopicNames

_AREA: Final = "rights"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the worker would do here. `session_timeout` and `transaction_timeout` in seconds.

    `user`: Kafka's principal (`User:…`) and `bootstrap_servers`, for the commands that grant what is missing.
    """

    names: TopicNames
    group: str
    session_timeout: float
    transaction_timeout: float
    user: str
    bootstrap_servers: str


def rights_findings(told: Told, wanted: Wanted) -> Iterator[Finding]:
    """One for each right that is missing; one for each resource on which nothing is."""
    for _, found in groupby(worker(wanted.names, wanted.group), lambda right: right.resource):
        yield from _resource(told, list(found), wanted)
    yield from _session(told, wanted.session_timeout)


def missing(told: Told, names: TopicNames, group: str) -> frozenset[Right]:
    """Those that the brokers deny for certain."""
    return frozenset(right for right in worker(names, group) if _denied(told, right))


def _resource(told: Told, rights: list[Right], wanted: Wanted) -> Iterator[Finding]:
    first, operations = rights[0], ", ".join(right.operation.told for right in rights)
    denied = [right for right in rights if _denied(told, right)]
    for right in denied:
        [command] = commands([right], wanted.user, wanted.bootstrap_servers)
        yield (fail if right.vital else warn)(_AREA, str(right), f"not allowed: {right.without}", command)
    if denied:
        return
    if first.kind is Kind.TRANSACTIONAL_ID:
        yield _transactional(told, first, wanted.transaction_timeout)
    elif first.kind is Kind.GROUP and told.group_error is not None:
        yield fail(_AREA, first.resource, f"it can't be described ({told.group_error})", "look at the brokers' logs")
    elif not _told(told, first):
        if first.kind is Kind.TOPIC and first.name not in told.topics:
            return  # it is missing, which is told elsewhere
        yield warn(
            _AREA,
            first.resource,
            "the broker does not tell what this user may do",
            f"check by hand that it has {operations} (kafka-acls.sh --list --{first.kind} {first.name})",
        )
    else:
        yield ok(_AREA, first.resource, f"{operations}: allowed")


def _told(told: Told, right: Right) -> bool:
    return (told.topics.get(right.name) if right.kind is Kind.TOPIC else told.group) is not None


def _denied(told: Told, right: Right) -> bool:
    match right.kind:
        case Kind.TOPIC:
            has = told.topics.get(right.name)
            return has is not None and right.operation not in has
        case Kind.GROUP:
            refused = told.group_error == "GroupAuthorizationFailedError"
            return refused or (told.group is not None and right.operation not in told.group)
        case Kind.TRANSACTIONAL_ID:
            return told.transactional == "TransactionalIdAuthorizationFailed"


def _transactional(told: Told, right: Right, timeout: float) -> Finding:
    match told.transactional:
        case None:
            return ok(_AREA, right.resource, f"a producer may start (tried as {right.name}doctor, which is nobody's)")
        case "InvalidTransactionTimeout":
            return fail(
                _AREA,
                "KAFKA_TRANSACTION_TIMEOUT",
                f"{timeout:g} s is above the broker's transaction.max.timeout.ms: no producer could start",
                "lower KAFKA_TRANSACTION_TIMEOUT, or raise transaction.max.timeout.ms",
            )
        case other:
            return fail(_AREA, right.resource, f"a producer can't start ({other})", "look at the brokers' logs")


def _session(told: Told, timeout: float) -> Iterator[Finding]:
    least, most = (told.session.get(f"group.{bound}.session.timeout.ms") for bound in ("min", "max"))
    if least is None or most is None:
        return
    what, detail = "KAFKA_SESSION_TIMEOUT", f"{timeout:g} s; the broker allows {least / 1000:g} to {most / 1000:g} s"
    if least <= timeout * 1000 <= most:
        yield ok(_AREA, what, detail)
    else:
        yield fail(_AREA, what, detail, "set KAFKA_SESSION_TIMEOUT within these bounds, or change the broker's")
