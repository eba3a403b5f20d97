"""The consumer group: is it ours alone? Pure."""

from collections.abc import Iterator
from typing import Final

from worker.doctor.findings import Finding, fail, ok, warn
from worker.kafka.rights import GroupUse, Member
from worker.model import TopicNames

_AREA: Final = "group"
_OWN: Final = (
    "give that application a group of its own; or set another KAFKA_GROUP_ID, as long as the ledger is empty "
    "(afterwards it names its group)"
)
_KIP_848: Final = "its members speak the newer protocol (group.protocol=consumer, KIP-848)"


def group_findings(
    use: GroupUse, names: TopicNames, group: str, instance_id: str | None, client_id: str
) -> Iterator[Finding]:
    """`instance_id`: KAFKA_GROUP_INSTANCE_ID; `client_id`: KAFKA_CLIENT_ID."""
    if use.newer:
        yield _newer(use, group)
        return
    if use.protocol not in ("", "consumer"):
        yield fail(_AREA, group, f"something else uses it: its protocol is {use.protocol!r}, not consumers'", _OWN)
        return
    strangers = [member for member in use.members if _reads_else(member, names)]
    for member in strangers:
        topics = ", ".join(sorted(member.topics or ()))
        yield fail(
            _AREA,
            group,
            f"another application is in it: client {member.client_id} at {member.host} reads {topics}",
            _OWN,
        )
    if not strangers:
        count = len(use.members)
        yield ok(_AREA, group, f"{count} members, all of them read the two inputs" if count else "nobody is in it now")
    for member in use.members:
        if instance_id is not None and member.instance_id == instance_id:
            yield _static(member, instance_id, client_id)


def _newer(use: GroupUse, group: str) -> Finding:
    """The group follows a protocol that brokers lead; Kafka takes a worker in beside its members, and shares out."""
    if use.newer != "consumer":
        detail = f"something else uses it: it is a group of the type {use.newer}, not of consumers (state {use.state})"
        return fail(_AREA, group, detail, _OWN)
    see = f"kafka-consumer-groups.sh --bootstrap-server … --describe --members --group {group}"
    if use.state == "Empty":
        return warn(
            _AREA,
            group,
            f"nobody is in it now, but another application has used it: {_KIP_848}, which no worker speaks",
            f"once that application is gone for good all is well: the first worker turns the group back. Else {_OWN}",
        )
    return fail(
        _AREA,
        group,
        f"another application is in it: {_KIP_848}, which no worker speaks (state {use.state}); it is given partitions "
        "of a worker's",
        f"see who its members are ({see}), then {_OWN}",
    )


def _reads_else(member: Member, names: TopicNames) -> bool:
    return member.topics is not None and member.topics != frozenset(names.inputs)


def _static(member: Member, instance_id: str, client_id: str) -> Finding:
    what, detail = (
        f"KAFKA_GROUP_INSTANCE_ID={instance_id}",
        f"a member has this name: {member.client_id} at {member.host}",
    )
    if member.client_id == client_id:
        return ok(_AREA, what, f"{detail}, with this KAFKA_CLIENT_ID: the same worker")
    return warn(
        _AREA,
        what,
        f"{detail}, not {client_id}: two processes with one name put each other out for ever",
        "give each process a name of its own; all is well if that one was this worker's former life",
    )


def offsets_without_ledger(group: str, committed: int) -> Finding:
    """`committed`: partitions of the requests with an offset of the group, while no partition's ledger has begun."""
    return warn(
        _AREA,
        group,
        f"it has committed offsets on {committed} partitions of the requests, and the ledger is empty: what stands "
        "before them will not be processed",
        "if another application used this group, set another KAFKA_GROUP_ID; if the ledger was deleted, restore it "
        "before anything is sent again",
    )
