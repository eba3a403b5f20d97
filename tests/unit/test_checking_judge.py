"""Events before they are sent: the worker's own verdict, and what Kafka would make of key and partition."""

import json
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.identity import partition_for
from schemas.jsontext import dumps
from schemas.rules import Action, RulePolicy
from tests.integration.events import data, event
from worker.checking.items import Form, Item, Place, item_of
from worker.checking.judge import Judged, Partitioner, Rules, examine
from worker.checking.repeats import Repeats
from worker.checking.suggestions import suggestion
from worker.decode import Limits
from worker.model import Event, Invalid, Refusal

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
PLACE = Place("f", 1)
GOOD = Item(PLACE, Form.DATA, dumps(data("20001")))
IDENTITY = "10759/Invoice/20001"


def codes(judged: Judged) -> list[tuple[str, str]]:
    return [(finding.severity.value, finding.problem.code) for finding in judged.findings]


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.name)
def test_the_examples(example: Path):
    judged = examine(item_of(PLACE, example.read_bytes()), Rules(partitions=12))
    assert judged.valid == example.name.startswith(("invoice-requested", "cloudevent"))


def test_a_good_event_names_its_invoice_key_and_partition():
    judged = examine(GOOD, Rules(partitions=12))
    assert judged.valid
    assert codes(judged) == []
    assert isinstance(judged.decoded, Event)
    assert (judged.identity, judged.key) == (IDENTITY, IDENTITY.encode())
    assert judged.partition == partition_for(IDENTITY.encode(), 12)
    assert examine(GOOD, Rules()).partition is None


def test_everything_that_the_worker_would_say_with_pointer_code_and_advice():
    wrong = replace(GOOD, value=dumps(data("20001", kid="1", invoiceDate="1.4.2026")))
    judged = examine(wrong, Rules())
    assert not judged.valid
    assert judged.identity == IDENTITY
    told = {finding.problem.pointer: finding for finding in judged.findings}
    assert set(told) == {"/invoice/kid", "/invoice/invoiceDate"}
    assert told["/invoice/invoiceDate"].problem.code == "bad_date"
    assert told["/invoice/invoiceDate"].advice == suggestion("bad_date") is not None


def test_the_workers_limits_count():
    judged = examine(replace(GOOD, value=dumps(data("20001", documents=2))), Rules(limits=Limits(attachments=1)))
    assert codes(judged) == [("error", "too_many")]


def test_librdkafkas_default_partitioner_misroutes_and_is_told_what_to_set():
    # CRC32, as zlib has it: docs of librdkafka, `partitioner=consistent_random`.
    wrong = zlib.crc32(IDENTITY.encode()) % 12
    assert wrong != partition_for(IDENTITY.encode(), 12)
    judged = examine(GOOD, Rules(partitions=12, partitioner=Partitioner.LIBRDKAFKA))
    assert codes(judged) == [("error", "misrouted")]
    assert (judged.partition, judged.identity) == (wrong, IDENTITY)
    assert isinstance(judged.decoded, Invalid)
    assert judged.decoded.reason is Refusal.MISROUTED
    assert "partitioner=murmur2_random" in str(judged.findings[0].advice)
    # On a single partition nothing can go wrong.
    assert examine(GOOD, Rules(partitions=1, partitioner=Partitioner.LIBRDKAFKA)).valid


def test_the_partition_where_a_record_stands_counts_and_not_its_key():
    right = partition_for(IDENTITY.encode(), 12)
    wrapped = replace(GOOD, form=Form.WRAPPED, key=b"something else", partition=right)
    assert codes(examine(wrapped, Rules(partitions=12))) == [("warning", "key_differs")]
    elsewhere = replace(wrapped, partition=(right + 1) % 12)
    assert codes(examine(elsewhere, Rules(partitions=12))) == [("error", "misrouted")]


def test_a_key_that_the_producer_uses():
    assert codes(examine(GOOD, Rules(key=IDENTITY.encode()))) == []
    assert codes(examine(GOOD, Rules(key=b"20001"))) == [("warning", "key_differs")]
    assert partition_for(b"20001", 12) != partition_for(IDENTITY.encode(), 12)
    assert codes(examine(GOOD, Rules(key=b"20001", partitions=12))) == [("error", "misrouted")]
    assert codes(examine(GOOD, Rules(key=b"", partitions=12))) == [("warning", "no_key")]
    assert codes(examine(replace(GOOD, key=b""), Rules())) == [("warning", "no_key")]


def test_rules_do_what_the_policy_says():
    odd = replace(GOOD, value=dumps(data("20001", email="kari@")))
    assert codes(examine(odd, Rules())) == [("warning", "email")]
    assert codes(examine(odd, Rules(policy=RulePolicy({"email": Action.REJECT})))) == [("error", "email")]
    assert codes(examine(odd, Rules(policy=RulePolicy({"email": Action.OFF})))) == []
    rejecting, off = (RulePolicy({"key_differs": action}) for action in (Action.REJECT, Action.OFF))
    assert codes(examine(GOOD, Rules(policy=rejecting))) == []
    assert codes(examine(GOOD, Rules(key=b"20001", policy=rejecting))) == [("error", "key_differs")]
    assert codes(examine(GOOD, Rules(key=b"", policy=rejecting))) == [("error", "key_differs")]
    assert codes(examine(GOOD, Rules(key=b"20001", policy=off))) == []


def test_more_than_kafka_takes_is_a_warning():
    judged = examine(replace(GOOD, value=GOOD.value + b" " * 1_100_000), Rules())
    assert codes(judged) == [("warning", "record_too_large")]
    assert judged.valid


def test_a_persons_command_is_only_for_the_replays_topic():
    command = item_of(
        PLACE,
        json.dumps(
            {
                "specversion": "1.0",
                "id": "1",
                "source": "/ops/kari",
                "type": "kravia.invoice.command.v1",
                "data": json.loads((EXAMPLES / "command.registered.json").read_bytes()),
            }
        ).encode(),
    )
    assert codes(examine(command, Rules())) == [("error", "unknown_type")]
    assert examine(command, Rules(commands=True)).valid


def test_one_invoice_with_two_contents_is_told_as_far_as_it_is_remembered():
    def look(repeats: Repeats, line: int, **changes: object) -> str | None:
        drafted = event("20001", **changes)
        decoded = examine(item_of(Place("f", line), drafted.value or b""), Rules()).decoded
        assert isinstance(decoded, Event)
        problem = repeats.look(Place("f", line), decoded)
        return problem.message if problem else None

    repeats = Repeats()
    assert look(repeats, 1) is None
    assert look(repeats, 2) is None
    told = look(repeats, 3, originalAmount=1)
    assert told is not None
    assert "f:1" in told
    forgetful = Repeats(remembered=1)
    assert look(forgetful, 1) is None
    assert look(forgetful, 2, creditorId=1) is None
    assert look(forgetful, 3, originalAmount=1) is None


def test_an_advice_for_attributes_that_are_missing():
    assert "ce_id" in str(suggestion("missing_id"))
    assert suggestion("no such code") is None
