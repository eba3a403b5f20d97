"""The AsyncAPI document: valid, in step with the code, and true of what the worker takes and writes."""

import json
import re
from pathlib import Path
from urllib.parse import unquote

import jsonschema
import pytest
import yaml
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from schemas.__main__ import generated
from schemas.asyncapi import asyncapi
from schemas.channels import GROUP, PARTITIONS, REPLICAS
from schemas.events import readable_identity
from schemas.identity import partition_for
from schemas.page import REMEDY, digest, digest_of, page
from tests.unit.fakes_receipts import BARE, DESK, ENDINGS, ENVELOPE, HISTORY, IDENTITY, NOW, RECORD
from worker.decode import decode
from worker.kafka.topics import DEFAULT_PARTITIONS, plan_topics
from worker.model import Command, Event, Record, TopicNames
from worker.receipts import Receipt, dead_letter_record, outcome_record
from worker.settings.kafka import KafkaSettings

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "schemas"
DOCUMENT = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text(encoding="utf-8"))
MESSAGES = DOCUMENT["components"]["messages"]
FILES = {"asyncapi.yaml": DOCUMENT} | {
    f"./json/{path.name}": json.loads(path.read_text(encoding="utf-8")) for path in (SCHEMAS / "json").glob("*.json")
}
INPUT = ("invoiceRequested", "invoiceRequestedStructured", "invoiceRequestedBare", "verdict", "verdictStructured")


def refs(node):
    """Every $ref below `node`."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from refs(child)


def resolve(name, ref):
    file, _, pointer = ref.partition("#")
    node = FILES[file or name]
    for part in filter(None, pointer.split("/")):
        node = node[unquote(part).replace("~1", "/").replace("~0", "~")]
    return node


def validator(pointer):
    """Of the schema at this place of the document; its references lead into schemas/json."""
    resources = [
        # Files name each other by path, and the generated ones carry a $id besides.
        (name.removeprefix("./"), Resource.from_contents(contents, default_specification=DRAFT202012))
        for name, contents in FILES.items()
    ]
    registry = Registry().with_resources([(f"http://schemas.test/{name}", one) for name, one in resources])
    return jsonschema.Draft202012Validator(
        {"$ref": f"http://schemas.test/asyncapi.yaml#{pointer}"},
        registry=registry,
        format_checker=jsonschema.FormatChecker(),
    )


def validate(message, *, headers=None, payload=None):
    if headers is not None:
        validator(f"/components/messages/{message}/headers").validate(headers)
    if payload is not None:
        validator(f"/components/messages/{message}/payload").validate(payload)


def examples(*names):
    found = [(name, one) for name in names or MESSAGES for one in MESSAGES[name].get("examples", ())]
    assert found
    return pytest.mark.parametrize(("name", "given"), found, ids=[f"{name}-{one['name']}" for name, one in found])


def test_the_file_is_what_the_code_generates():
    assert asyncapi() == DOCUMENT, "run `python -m schemas`"
    assert (SCHEMAS / "asyncapi.yaml").read_text(encoding="utf-8") == generated()["asyncapi.yaml"]


def test_the_page_was_rendered_from_this_document():
    said = digest_of((ROOT / "docs" / "reference" / "asyncapi.md").read_text(encoding="utf-8"))
    assert said == digest(generated()), f"docs/reference/asyncapi.md is stale: run `{REMEDY}` (needs node)"


def test_a_page_says_what_it_was_made_from_and_another_document_has_another_digest():
    files = generated()
    made = page("# Title \n\n\n\n\ntext\n", digest(files))
    assert digest_of(made) == digest(files)
    assert made.endswith("\n\n# Title\n\ntext\n")
    assert digest(files | {"json/outcome.v1.json": "{}"}) != digest(files)
    assert digest_of("# A page by hand\n") is None


def test_the_document_is_valid_asyncapi():
    text = (ROOT / "tests" / "vendor" / "asyncapi-3.0.0.json").read_text(encoding="utf-8")
    jsonschema.Draft7Validator(json.loads(text)).validate(DOCUMENT)


@pytest.mark.parametrize("name", FILES)
def test_every_reference_leads_somewhere(name):
    for ref in refs(FILES[name]):
        assert isinstance(resolve(name, ref), dict), ref


def test_every_message_stands_in_a_channel_and_every_channel_in_an_operation():
    held = {ref.rpartition("/")[2] for channel in DOCUMENT["channels"].values() for ref in refs(channel["messages"])}
    assert held == set(MESSAGES)
    operations = DOCUMENT["operations"].values()
    assert {one["channel"]["$ref"] for one in operations} == {f"#/channels/{name}" for name in DOCUMENT["channels"]}


def test_every_public_message_has_examples():
    without = {name for name, message in MESSAGES.items() if not message.get("examples")}
    assert without == {"journalRecord", "ledgerRecord"}


@examples()
def test_the_examples_are_valid(name, given):
    validate(name, headers=given.get("headers"), payload=given["payload"])


@examples(*INPUT)
def test_the_worker_takes_the_input_examples(name, given):
    data = given["payload"].get("data", given["payload"])
    key = str(data.get("identity") or readable_identity(data)).encode()
    record = Record(
        "invoice.replays",
        partition_for(key, 12),
        0,
        0,
        key,
        json.dumps(given["payload"]).encode(),
        tuple((header, text.encode()) for header, text in given.get("headers", {}).items()),
    )
    decoded = decode(record, partition_count=12, commands=True)
    assert isinstance(decoded, Command if name.startswith("verdict") else Event), decoded
    assert re.fullmatch(MESSAGES[name]["bindings"]["kafka"]["key"]["pattern"], decoded.identity)
    assert decoded.identity.encode() == key


@pytest.mark.parametrize("change", [{"ce_id": None}, {"ce_specversion": "0.3"}, {"ce_type": "x"}, {"ce_source": ""}])
def test_the_header_schema_refuses_what_the_worker_refuses(change):
    given = MESSAGES["invoiceRequested"]["examples"][0]
    headers = {name: text for name, text in (given["headers"] | change).items() if text is not None}
    with pytest.raises(jsonschema.ValidationError):
        validate("invoiceRequested", headers=headers)
    record = Record(
        "invoice.requests",
        11,
        0,
        0,
        b"10759/Invoice/20001",
        json.dumps(given["payload"]).encode(),
        tuple((name, text.encode()) for name, text in headers.items()),
    )
    assert not isinstance(decode(record, partition_count=12), Event)


@pytest.mark.parametrize("envelope", [ENVELOPE, BARE], ids=["event", "bare"])
@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: type(ending).__name__)
def test_what_the_worker_publishes_is_what_the_document_says(ending, envelope):
    receipt = Receipt(envelope, IDENTITY, ending, HISTORY, NOW, NOW)
    outcome = outcome_record(receipt, DESK)
    headers = {name: text.decode() for name, text in outcome.headers}
    message = f"{type(ending).__name__.lower()}Outcome"
    schema = MESSAGES[message]["headers"]
    assert set(headers) <= set(schema["properties"]), "a header that the document does not name"
    headers.pop("traceparent", None)  # of these fixtures it is no real one
    validate(message, headers=headers, payload=json.loads(outcome.value))
    letter = dead_letter_record(receipt, RECORD, DESK)
    if letter is not None:
        names = {name for name, _ in letter.headers[len(RECORD.headers) :]}
        described = MESSAGES["deadLetter"]["headers"]
        assert set(described["required"]) <= names <= set(described["properties"])


def test_topics_are_described_as_the_worker_makes_them():
    names = TopicNames()
    plans = {plan.name: plan for plan in plan_topics(names, partitions=DEFAULT_PARTITIONS, replication=REPLICAS)}
    channels = DOCUMENT["channels"].values()
    assert {channel["address"] for channel in channels} == set(plans)
    for channel in channels:
        binding, plan = channel["bindings"]["kafka"], plans[channel["address"]]
        assert (binding["topic"], binding["partitions"]) == (plan.name, DEFAULT_PARTITIONS)
        assert binding["replicas"] == plan.replication
        described = {
            name: ",".join(value) if isinstance(value, list) else str(value)
            for name, value in binding["topicConfiguration"].items()
        }
        shown = {"cleanup.policy", "retention.ms", "retention.bytes", "max.message.bytes"}
        assert described == {name: value for name, value in plan.configs.items() if name in shown}


def test_defaults_are_the_workers():
    assert KafkaSettings.model_fields["kafka_group_id"].default == GROUP
    assert PARTITIONS == DEFAULT_PARTITIONS


def test_every_identity_of_the_test_vectors_fits_the_key():
    pattern = MESSAGES["invoiceRequested"]["bindings"]["kafka"]["key"]["pattern"]
    for vector in json.loads((SCHEMAS / "examples" / "identities.json").read_text(encoding="utf-8")):
        assert re.fullmatch(pattern, vector["identity"])
