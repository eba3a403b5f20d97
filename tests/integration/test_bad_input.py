"""Whatever a producer writes: dead-lettered with its reason, byte for byte, one outcome, and the worker goes on."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from schemas.jsontext import dumps
from tests.integration.events import Draft, data, event, headers, numbers_on
from tests.integration.harness import Scene
from worker.model import Coordinates

MEGABYTE = 1_000_000
LARGEST_BATCH = 1_048_588
"""Kafka's default `max.message.bytes`: what a batch of the input topics may have at the most, as it is stored."""


def nested(depth: int) -> bytes:
    return b'{"invoice":' * depth + b"1" + b"}" * depth


def bad_records() -> dict[str, tuple[Draft, str, set[str]]]:
    """By name: the record, how it ends, and the codes of what is wrong with it (those that must be among them)."""
    good = event("bad")
    value = good.value or b""
    unknown = dumps(data("unknown-field", kid="123", originalAmount="2 500,00"))
    return {
        "empty": (replace(good, value=b""), "rejected undecodable", {"empty"}),
        "tombstone": (replace(good, value=None), "rejected undecodable", {"tombstone"}),
        "not JSON": (replace(good, value=b"<invoice/>"), "rejected undecodable", {"not_json"}),
        "cut off": (replace(good, value=value[:-20]), "rejected undecodable", {"not_json"}),
        "wrong encoding": (
            replace(good, value=value.decode().encode("utf-16")),
            "rejected undecodable",
            {"wrong_encoding"},
        ),
        "latin-1": (
            replace(good, value=value.replace(b"Kari", b"K\xe5ri")),
            "rejected undecodable",
            {"wrong_encoding"},
        ),
        "duplicate keys": (
            replace(good, value=value.replace(b'"originalAmount":', b'"originalAmount":1,"originalAmount":')),
            "rejected undecodable",
            {"duplicate_name"},
        ),
        "NaN": (replace(good, value=value.replace(b"2500", b"NaN")), "rejected undecodable", {"not_a_number"}),
        "deep nesting": (replace(good, value=nested(50_000)), "rejected undecodable", {"too_deep"}),
        "a megabyte of something": (
            replace(good, value=random.Random(1).randbytes(MEGABYTE)),
            "rejected undecodable",
            {"wrong_encoding"},
        ),
        "a megabyte of text": (
            replace(good, value=b'"' + b"x" * MEGABYTE + b'"'),
            "rejected validation",
            {"wrong_type"},
        ),
        "missing headers": (
            replace(good, headers=(("ce_id", b"1"), ("X-Team", b"billing \xff"))),
            "rejected undecodable",
            {"missing_specversion", "missing_source", "missing_type"},
        ),
        "another event type": (
            replace(good, headers=headers("1", type="something.else")),
            "rejected undecodable",
            {"unknown_type"},
        ),
        "null bytes in the key": (replace(good, key=b"\0key\0", value=b"\0\0"), "rejected undecodable", {"not_json"}),
        "no key": (replace(good, key=None, value=b"[]"), "rejected validation", set()),
        "wrong partition": (
            replace(good, partition=(good.partition_of(4) + 1) % 4),
            "rejected misrouted",
            {"misrouted"},
        ),
        "unknown field": (
            replace(event("unknown-field"), value=unknown),
            "rejected validation",
            {"unknown_field", "wrong_type"},
        ),
    }


async def test_each_is_dead_lettered_byte_for_byte_and_the_worker_goes_on(scene: Scene):
    worker = scene.worker()
    await worker.run()
    records = bad_records()
    sent = dict(zip(records, await scene.send(*(draft for draft, _, _ in records.values())), strict=True))
    after = [event(next(numbers_on(partition, prefix="after-"))) for partition in range(scene.partitions)]
    after.append(event("large", description="x" * MEGABYTE))
    good = await scene.send(*after)
    outcomes = await scene.close_books([*sent.values(), *good])

    assert {name: outcomes[origin].ending for name, origin in sent.items()} == {
        name: ending for name, (_, ending, _) in records.items()
    }
    assert {name: codes - outcomes[sent[name]].codes for name, (_, _, codes) in records.items()} == {
        name: set() for name in records
    }
    for name, (draft, ending, _) in records.items():
        outcome, letter = outcomes[sent[name]], await scene.dead_letter(sent[name])
        assert (letter.key, letter.headers) == (draft.key, draft.headers), name
        assert letter.value == draft.value, name
        assert f"rejected {letter.cause.reason}" == ending, name
        assert letter.cause.outcome_id == outcome.headers["ce_id"], name
        assert scene.registers(draft.identity) == 0, name
        # Without an identity that can be read the record's coordinates stand for one.
        names_its_invoice = name == "unknown field"
        assert outcome.key == (draft.identity if names_its_invoice else str(sent[name])).encode(), name
    assert [outcomes[origin].ending for origin in good] == ["scheduled"] * len(good)


async def test_what_is_wrong_is_told_without_what_it_says(scene: Scene):
    worker = scene.worker()
    await worker.run()
    secret = "Sigrun Hemmelig"
    sent = await scene.send(
        event(1, debtorName=[secret], email=secret * 500, kid=secret),
        replace(event(2), value=f'{{"invoice": {{"debtorName": "{secret}"'.encode()),
    )
    outcomes = await scene.close_books(sent)
    for origin in sent:
        letter = await scene.dead_letter(origin)
        assert secret not in f"{outcomes[origin].data} {outcomes[origin].headers} {letter.cause}"
    assert not any(secret in line for line in worker.log_lines())


async def test_a_key_that_differs_and_yet_leads_to_the_right_partition_is_only_a_warning(scene: Scene):
    worker = scene.worker()
    await worker.run()
    odd = replace(event(1), key=b"\0 not the identity \xff")
    sent = await scene.send(odd, replace(event(2), key=None))
    outcomes = await scene.settled(sent)
    assert [outcomes[origin].ending for origin in sent] == ["scheduled", "scheduled"]
    assert await worker.metric("warnings_total", code="key_differs") == 2
    await scene.close_books(sent)


async def test_a_rule_does_what_is_set(scene: Scene):
    worker = scene.worker(RULE_EMAIL="reject")
    await worker.run()
    sent = await scene.send(event(1, email="kari@"), event(2, dueDate="2020-01-01"), event(3))
    outcomes = await scene.settled(sent)
    assert [outcomes[origin].ending for origin in sent] == ["rejected validation", "scheduled", "scheduled"]
    assert outcomes[sent[0]].codes == {"email"}
    warned = [[warning["code"] for warning in outcomes[origin].data["warnings"]] for origin in sent]
    assert warned == [[], ["due_before_invoice"], []]
    assert await worker.metric("warnings_total", code="due_before_invoice") == 1
    await scene.close_books(sent)


@asynccontextmanager
async def plain_producer(scene: Scene, compression: str | None = None) -> AsyncIterator[AIOKafkaProducer]:
    """Not idempotent: a record that was refused must not leave a gap in its sequence."""
    producer = AIOKafkaProducer(
        bootstrap_servers=scene.broker.bootstrap, compression_type=compression, max_request_size=2**28
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def write(producer: AIOKafkaProducer, scene: Scene, draft: Draft) -> Coordinates:
    """Raises MessageSizeTooLargeError when the topic does not take it."""
    partition = draft.partition_of(scene.partitions)
    sent = await producer.send_and_wait(
        scene.topics.requests, draft.value, draft.key, partition, headers=list(draft.headers)
    )
    return Coordinates(sent.topic, sent.partition, sent.offset)


async def test_the_largest_record_that_the_source_can_hold(scene: Scene):
    """It must fit into the dead-letter topic together with the headers that say why it is there."""
    worker = scene.worker()
    await worker.run()
    noise = random.Random(2).randbytes(LARGEST_BATCH)  # nothing can compress it
    sent: dict[Coordinates, Draft] = {}
    fits, refused = LARGEST_BATCH - 2_000, LARGEST_BATCH
    async with plain_producer(scene) as producer:
        while fits < refused - 1:
            size = (fits + refused) // 2
            draft = replace(event("large"), value=noise[:size])
            try:
                sent[await write(producer, scene, draft)] = draft
            except MessageSizeTooLargeError:
                refused = size
            else:
                fits = size
    outcomes = await scene.close_books(list(sent))
    assert scene.tally(outcomes.values()) == {"rejected undecodable": len(sent)}
    for origin, draft in sent.items():
        letter = await scene.dead_letter(origin)
        assert (letter.key, letter.headers) == (draft.key, draft.headers)
        assert letter.value == draft.value


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
async def test_a_record_that_is_only_small_as_long_as_it_is_compressed(scene: Scene, compression: str):
    worker = scene.worker()
    await worker.run()
    huge = replace(event("huge"), value=b"x" * 24 * 1024 * 1024)
    async with plain_producer(scene, compression) as producer:
        origin = await write(producer, scene, huge)
    sent = [origin, *await scene.send(event("huge"))]
    outcomes = await scene.close_books(sent)
    assert [outcomes[one].ending for one in sent] == ["rejected undecodable", "scheduled"]
    letter = await scene.dead_letter(origin)
    assert (letter.key, letter.headers) == (huge.key, huge.headers)
    assert letter.value == huge.value
