"""From a record to an event that the saga can take, or to everything that is wrong with it. Pure.

What is checked first is what the rest rests on: envelope and JSON (`undecodable`, see `worker.envelope`), the
partition that the identity leads to (`misrouted`), then the contract in `schemas.events` and, of what is valid there,
the rules in `schemas.rules` (`validation`, or a warning).
"""

from dataclasses import dataclass, replace
from datetime import UTC
from decimal import Decimal
from typing import Final, assert_never, cast

from schemas.commands import COMMAND_TYPE, DiscardCommand, RegisteredVerdict, check_command
from schemas.dead_letters import read_headers
from schemas.events import (
    DEFAULT_START_MESSAGE,
    MAX_ATTACHMENTS,
    REGISTER_FIELDS,
    REQUESTED_TYPE,
    InlineAttachment,
    InvoiceRequest,
    ReferencedAttachment,
    check,
    identity_of,
    readable_identity,
)
from schemas.identity import partition_for
from schemas.jsontext import JsonValue, canonical, dumps, plain
from schemas.rules import DEFAULT_POLICY, RulePolicy, judge
from schemas.violations import Violation
from worker import replayed
from worker.envelope import Opened, Unreadable, open_record
from worker.model import (
    Attachment,
    Audit,
    Command,
    Decoded,
    Envelope,
    Event,
    Invalid,
    Problem,
    Record,
    Reference,
    Refusal,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what one event may ask for. Ours: Kravia's are not known."""

    attachments: int = 20
    """Documents of one event; beyond `schemas.events.MAX_ATTACHMENTS` the contract refuses them anyway."""
    attachment_bytes: int = 10 * 1024 * 1024
    """Bytes of one document that travels in the event, decoded."""
    reference_bytes: int = 25 * 1024 * 1024
    """Bytes of one document that is fetched."""


DEFAULT_LIMITS: Final = Limits()
NO_LIMITS: Final = Limits(MAX_ATTACHMENTS, 2**62, 2**62)
"""For what has begun before the limits were set so."""
_MAX_KEY_SHOWN: Final = 200


def decode(
    record: Record,
    *,
    partition_count: int,
    commands: bool = False,
    limits: Limits = DEFAULT_LIMITS,
    rules: RulePolicy = DEFAULT_POLICY,
) -> Decoded:
    """The event in `record`, or why there is none. Never raises, whatever the record holds.

    `commands`: the record stands in a topic that may hold a person's decisions, too; nowhere else are they believed.

    `partition_count` is that of the input topics, at least 1. `Invalid.problems` lists all that was found, bounded,
    with a pointer into the event's data and without its values. An invalid event keeps its identity where that is
    readable; a misrouted one has none, so that it settles under its coordinates and touches no other partition's
    ledger.

    `rules`: what each rule does with a valid event that breaks it; what only warns is in `Event.warnings`.
    """
    opened = open_record(record, (REQUESTED_TYPE, COMMAND_TYPE) if commands else (REQUESTED_TYPE,), by_person=commands)
    if isinstance(opened, Unreadable):
        return Invalid(opened.envelope, None, Refusal.UNDECODABLE, opened.problems, record.size)
    if opened.type == COMMAND_TYPE:
        return _command(opened, record, partition_count)
    data = opened.data
    checked = check(data)
    identity = identity_of(checked) if isinstance(checked, InvoiceRequest) else readable_identity(data)
    key = None if identity is None else identity.encode()
    if key is not None:
        right = partition_for(key, partition_count)
        if right != record.partition:
            misrouted = _misrouted(key.decode(), right, partition_count)
            return Invalid(opened.envelope, None, Refusal.MISROUTED, (misrouted,), record.size)
    if isinstance(checked, InvoiceRequest):
        errors, warnings = judge(checked, rules, key_differs=record.key != key)
    else:
        errors, warnings = checked, []
    problems = (
        *_problems(errors),
        *_attachment_problems(data, limits),
        *(_identity_problems(record, opened.envelope, identity) if identity else ()),
    )
    if identity is None or problems or not isinstance(checked, InvoiceRequest):
        return Invalid(opened.envelope, identity, Refusal.VALIDATION, problems, record.size)
    body = _register_body(data)
    return Event(
        envelope=opened.envelope,
        identity=identity,
        body=dumps(body),
        fields={name: _field_text(value) for name, value in body.items() if value is not None},
        creditor_id=checked.invoice.creditorId,
        amount=checked.invoice.originalAmount,
        currency=checked.invoice.currencyCode,
        attachments=tuple(_attachment(attachment) for attachment in checked.attachments or ()),
        start_message=checked.startMessage or DEFAULT_START_MESSAGE,
        size=record.size,
        warnings=_problems(warnings),
    )


def _problems(found: list[Violation]) -> tuple[Problem, ...]:
    return tuple([Problem(*violation) for violation in found])


def _attachment(given: InlineAttachment | ReferencedAttachment) -> Attachment | Reference:
    match given:
        case InlineAttachment(fileName=name, mediaType=kind, content=content):
            return Attachment(name, kind, content, content.sha256)
        case ReferencedAttachment(fileName=name, mediaType=kind, url=url, sha256=sha256, size=size):
            return Reference(name, kind, url, sha256, size)
        case _ as unreachable:
            assert_never(unreachable)


def _command(opened: Opened, record: Record, partition_count: int) -> Command | Invalid:
    command = check_command(opened.data)
    if isinstance(command, list):
        return Invalid(opened.envelope, None, Refusal.VALIDATION, _problems(command), record.size)
    origin = opened.envelope.replay_of
    if command.identity is None and origin is None:
        problem = Problem(
            "/identity", "required", "Without an identity the header replay-of must name the dead letter."
        )
        return Invalid(opened.envelope, None, Refusal.VALIDATION, (problem,), record.size)
    # A record without an identity is settled in the partition where it stands.
    right = (
        replayed.coordinates(origin or "//").partition
        if command.identity is None
        else partition_for(command.identity.encode(), partition_count)
    )
    if right != record.partition:
        misrouted = _misrouted(command.identity or origin or "", right, partition_count)
        return Invalid(opened.envelope, None, Refusal.MISROUTED, (misrouted,), record.size)
    audit = Audit(
        # An envelope with a type has an id.
        opened.envelope.event_id or str(record.coordinates),
        command.verb,
        command.who,
        command.when.astimezone(UTC),
        command.why,
    )
    return Command(
        replace(opened.envelope, audit=audit),
        command.identity,
        audit,
        None if isinstance(command, DiscardCommand) else command.doubt,
        command.invoiceId if isinstance(command, RegisteredVerdict) else None,
        isinstance(command, DiscardCommand) and command.forGood,
        record.size,
    )


def _identity_problems(record: Record, envelope: Envelope, identity: str) -> list[Problem]:
    """An edited event that is another invoice than its dead letter, although a register may have happened for that."""
    if envelope.audit is None or envelope.audit.verb != replayed.EDIT:
        return []
    earlier = read_headers(record.headers)
    if isinstance(earlier, list) or earlier.identity in {None, identity}:
        return []
    untouched = earlier.attempts == 0 and earlier.invoice_id is None and earlier.doubt is None
    if untouched and earlier.reason not in {"conflict", "blocked"}:
        return []
    sentence = (
        "A register may have happened for this dead letter's invoice: creditorId, claimType, invoiceNo and a credit "
        "note's accountingInvoiceId can't be changed any more. Discard it, and send a new event."
    )
    return [Problem("/invoice", "identity_locked", sentence)]


def _register_body(data: JsonValue) -> dict[str, JsonValue]:
    """The register body of valid data: the guide's order, numbers as written, null where it was given."""
    invoice = cast("dict[str, dict[str, JsonValue]]", data)["invoice"]
    body = {name: invoice[name] for name in REGISTER_FIELDS if name in invoice}
    private = body.get("isPrivateIndividual")
    if isinstance(private, bool):
        body["isPrivateIndividual"] = "true" if private else "false"
    return body


def _field_text(value: JsonValue) -> str:
    """What "same register body" compares (docs/explanation/architecture.md): equal for equal content of one field."""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return plain(value)
    return canonical(value)


def _misrouted(identity: str, right: int, count: int) -> Problem:
    shown = identity if len(identity) <= _MAX_KEY_SHOWN else f"{identity[:_MAX_KEY_SHOWN]}…"
    return Problem(
        "",
        "misrouted",
        f"This invoice belongs to partition {right} of {count}: write it with the key {shown} and the partitioner "
        "murmur2 (the default of Java's client and of aiokafka; librdkafka: partitioner=murmur2_random).",
    )


def _attachment_problems(data: JsonValue, limits: Limits) -> list[Problem]:
    """What the worker asks of attachments beyond the contract. Reads unchecked data: it reports beside the rest."""
    attachments = data.get("attachments") if isinstance(data, dict) else None
    if not isinstance(attachments, list) or len(attachments) > MAX_ATTACHMENTS:
        return []  # the contract has said so
    if len(attachments) > limits.attachments:
        return [Problem("/attachments", "too_many", f"An event has at most {limits.attachments} attachments.")]
    problems = []
    names: set[str] = set()
    for index, attachment in enumerate(attachments):
        if not isinstance(attachment, dict):
            continue
        content, name = attachment.get("content"), attachment.get("fileName")
        size = attachment.get("size")
        if isinstance(size, int) and "url" in attachment and size > limits.reference_bytes:
            message = f"A document has at most {limits.reference_bytes} bytes."
            problems.append(Problem(f"/attachments/{index}/size", "too_large", message))
        if isinstance(content, str) and len(content) // 4 * 3 - content[-2:].count("=") > limits.attachment_bytes:
            message = f"A document has at most {limits.attachment_bytes} bytes."
            problems.append(Problem(f"/attachments/{index}/content", "too_large", message))
        if isinstance(name, str):
            if name in names:
                # After a crash the file name is all that tells which documents Kravia has.
                message = "Another attachment of this event has the same file name."
                problems.append(Problem(f"/attachments/{index}/fileName", "duplicate_file_name", message))
            names.add(name)
    return problems
