"""Identity and partition: what a producer and the worker must compute alike, byte for byte."""

import json
from pathlib import Path

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from schemas.identity import CLAIM_TYPES, identity, identity_parts, murmur2, partition_for

EXAMPLES = json.loads(
    (Path(__file__).parents[2] / "schemas" / "examples" / "identities.json").read_text(encoding="utf-8")
)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e["identity"])
def test_published_vectors(example):
    text = identity(example["creditorId"], example["claimType"], example["invoiceNo"], example["accountingInvoiceId"])
    assert text == example["identity"]
    assert murmur2(text.encode()) == example["murmur2"]
    assert partition_for(text.encode(), 12) == example["partitionOf12"]


@pytest.mark.parametrize(
    ("key", "java"),
    [
        # Apache Kafka's own test of Utils.murmur2 (UtilsTest.testMurmur2).
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_javas(key, java):
    assert murmur2(key) == java & 0xFFFFFFFF


@given(st.binary(max_size=80), st.integers(1, 200))
def test_partition_is_the_one_aiokafka_chooses(key, count):
    assert partition_for(key, count) == DefaultPartitioner()(key, list(range(count)), [])


def test_a_topic_without_partitions_is_refused():
    with pytest.raises(ValueError, match="at least one partition"):
        partition_for(b"key", 0)


def test_composed_and_decomposed_letters_are_one_invoice():
    assert identity(1, "Invoice", "Å") == identity(1, "Invoice", "A\u030a") == "1/Invoice/%C3%85"


def test_nothing_is_trimmed_or_folded():
    spellings = ["a", "A", " a", "a ", "a/b", "a%2Fb"]
    assert len({identity(1, "Invoice", s) for s in spellings}) == len(spellings)


def test_only_a_credit_note_is_told_apart_by_its_accounting_id():
    assert identity(1, "Invoice", "7", "x") == identity(1, "Invoice", "7")
    assert identity(1, "CreditNote", "7", "x") == "1/CreditNote/7/x"


@given(st.integers(1, 2**63 - 1), st.sampled_from(CLAIM_TYPES), TEXTS, st.none() | TEXTS)
def test_an_identity_is_ascii_and_can_be_taken_apart(creditor, claim_type, number, accounting):
    text = identity(creditor, claim_type, number, accounting)
    parts = identity_parts(text)
    assert text.isascii()
    assert parts is not None
    assert identity(*parts) == text
    assert (parts.creditor_id, parts.claim_type) == (creditor, claim_type)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_different_texts_never_share_a_credit_notes_identity(number, accounting, number2, accounting2):
    same = identity(1, "CreditNote", number, accounting) == identity(1, "CreditNote", number2, accounting2)
    one = identity(1, "Invoice", number) == identity(1, "Invoice", number2)
    other = identity(1, "Invoice", accounting) == identity(1, "Invoice", accounting2)
    assert same == (one and other)


@pytest.mark.parametrize(
    "text",
    ["", "1", "1/Invoice", "1/Invoice/", "x/Invoice/1", "1/Bill/1", "01/Invoice/1", "1/Invoice/a b", "1/Invoice/1/2"],
)
def test_what_is_no_identity_is_not_taken_apart(text):
    assert identity_parts(text) is None
