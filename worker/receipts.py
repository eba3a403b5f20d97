"""What a settled event leaves behind: its outcome event, and its dead letter when it did not end well. Pure."""

from datetime import UTC, datetime
from urllib.parse import quote

from schemas.dead_letters import NAMES, DeadLetterHeaders, read_headers
from schemas.outcomes import (
    OUTCOME_TYPES,
)
from worker import replayed
from worker.model import (
    Coordinates,
    Discarded,
    Envelope,
    Failed,
    OutRecord,
    Record,
    Rejected,
    Repeated,
    Resolved,
    Scheduled,
)
from worker.outcome_data import outcome_data
from worker.receipt import Desk, Receipt, attempts, receipt_id
from worker.receipt_headers import fingerprint, message

__all__ = ["Desk", "Receipt", "dead_letter_record", "outcome_record", "receipt_id"]


def outcome_record(receipt: Receipt, desk: Desk) -> OutRecord:
    """The outcome event, a CloudEvent in Kafka's binary mode, for the partition that its input's leads to."""
    envelope = receipt.envelope
    origin = envelope.origin
    outcome = outcome_data(receipt, observed=desk.observed)
    key = receipt.identity or str(origin)
    texts = {
        "ce_specversion": "1.0",
        "ce_id": receipt_id(origin),
        "ce_type": OUTCOME_TYPES[outcome.outcome],
        "ce_source": f"/kravia-invoice-worker/{quote(desk.group, safe='')}",
        "ce_time": _timestamp(receipt.settled_at),
        "ce_subject": key,
        # Without an id of its own an event is named by where it stands, as is its identity.
        "ce_correlationid": envelope.correlation_id or envelope.event_id or str(origin),
        "ce_causationid": envelope.event_id or str(origin),
        "traceparent": receipt.traceparent or envelope.traceparent,
        "replay-of": envelope.replay_of,
        "content-type": "application/json",
    }
    return OutRecord(
        topic=desk.topics.outcomes,
        partition=origin.partition % desk.outcome_partitions,
        key=key.encode(),
        value=outcome.model_dump_json(exclude_none=True).encode(),
        headers=tuple((name, text.encode()) for name, text in texts.items() if text is not None),
    )


def dead_letter_record(receipt: Receipt, record: Record, desk: Desk) -> OutRecord | None:
    """The dead letter of a rejected or failed record: key, value and headers as they came, the cause behind them.

    None when it ended otherwise. Of a replay that fails again the headers of its last failure are replaced, but for
    those that say where and when the event failed first.
    """
    ending = receipt.ending
    if isinstance(ending, Scheduled | Repeated | Discarded | Resolved):
        return None
    replayed = receipt.envelope.replay_of is not None
    earlier = read_headers(record.headers) if replayed else None
    if not isinstance(earlier, DeadLetterHeaders):
        earlier = None
    cause = _cause(receipt, ending, desk, earlier)
    return OutRecord(
        topic=desk.topics.dead_letters,
        partition=record.partition % desk.dead_letter_partitions,
        key=record.key,
        value=record.value,
        headers=(
            # Only on a replay are headers of these names ours; whatever else a producer wrote stays as it is.
            *((name, value) for name, value in record.headers if not (replayed and name in NAMES)),
            *cause.to_headers(),
        ),
    )


def _cause(
    receipt: Receipt, ending: Rejected | Failed, desk: Desk, earlier: DeadLetterHeaders | None
) -> DeadLetterHeaders:
    history = receipt.history
    origin = _first_origin(receipt.envelope, earlier)
    first_failure = history.first_failure or receipt.settled_at
    return DeadLetterHeaders(
        topic=origin.topic,
        partition=origin.partition,
        offset=origin.offset,
        group=desk.group,
        delivery_count=max(1, attempts(receipt)),
        message=message(ending),
        version=1,
        outcome="failed" if isinstance(ending, Failed) else "rejected",
        outcome_id=receipt_id(receipt.envelope.origin),
        reason=ending.reason.value,
        fingerprint=fingerprint(ending),
        identity=receipt.identity,
        step=ending.step.value if ending.step else None,
        http_status=ending.http_status,
        invoice_id=ending.invoice_id,
        doubt=ending.doubt if isinstance(ending, Failed) else None,
        attempts=attempts(receipt),
        replay_count=(earlier.replay_count if earlier else 0) + (receipt.envelope.replay_of is not None),
        first_failure=earlier.first_failure if earlier else first_failure,
        last_failure=history.last_failure or receipt.settled_at,
        worker_version=desk.worker_version,
        traceparent=receipt.traceparent,
    )


def _first_origin(envelope: Envelope, earlier: DeadLetterHeaders | None) -> Coordinates:
    if earlier is not None:
        return Coordinates(earlier.topic, earlier.partition, earlier.offset)
    sent_again = envelope.audit is None or envelope.audit.verb in {replayed.REPLAY, replayed.EDIT}
    if envelope.replay_of is not None and sent_again:
        return replayed.coordinates(envelope.replay_of)
    return envelope.origin


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
