"""The sample events: the same for a seed, mostly good, wrong where they mean to be."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from schemas.identity import identity_parts, partition_for
from schemas.jsontext import loads
from worker.decode import decode
from worker.demo.samples import Kind, Sample, samples
from worker.model import Decoded, Event, Invalid, Record, Refusal

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MADE = samples(1000, 4, seed=3, start=NOW)


def of(kind: Kind) -> list[Sample]:
    return [sample for sample in MADE if sample.kind is kind]


def data(sample: Sample) -> dict[str, object]:
    found = json.loads(sample.value or b"", parse_float=Decimal)
    assert isinstance(found, dict)
    return found


def test_the_same_seed_gives_the_same_events():
    assert samples(200, 4, seed=5, start=NOW) == samples(200, 4, seed=5, start=NOW)
    assert samples(200, 4, seed=5, start=NOW) != samples(200, 4, seed=6, start=NOW)


def test_every_kind_occurs_and_most_are_good():
    counts = Counter(sample.kind for sample in MADE)
    assert set(counts) == set(Kind)
    assert counts[Kind.GOOD] > 850


def test_good_events_lead_where_their_key_says_and_are_their_own_identity():
    keys = [sample.key for sample in of(Kind.GOOD)]
    assert len(keys) == len(set(keys))
    for sample in of(Kind.GOOD):
        assert sample.partition == partition_for(sample.key, 4)
        assert identity_parts(sample.key.decode()) is not None


def test_good_events_break_no_rule_and_odd_ones_are_warned_about():
    for sample in of(Kind.GOOD):
        found = decoded(sample)
        assert isinstance(found, Event)
        assert not found.warnings, found.warnings
    codes = set()
    for sample in of(Kind.ODD):
        found = decoded(sample)
        assert isinstance(found, Event)
        codes |= {warning.code for warning in found.warnings}
    assert codes == {"due_before_invoice", "organisation_number", "email", "postal_code", "reference_missing"}


def test_good_events_add_up():
    claim_types = set()
    for sample in of(Kind.GOOD):
        invoice = data(sample)["invoice"]
        assert isinstance(invoice, dict)
        claim_types.add(invoice["claimType"])
        lines = invoice.get("orderLines")
        assert (lines is None) == (invoice["claimType"] == "CollectionCase")
        if lines is not None:
            assert sum(line["total"] for line in lines) == invoice["originalAmount"]
    assert claim_types == {"Invoice", "CreditNote", "CollectionCase"}


def test_organization_numbers_have_their_check_digit():
    numbers = [
        invoice["organizationNumber"]
        for sample in of(Kind.GOOD)
        if isinstance(invoice := data(sample)["invoice"], dict) and invoice["organizationNumber"]
    ]
    assert len(numbers) > 100
    for number in numbers:
        weighted = sum(int(d) * w for d, w in zip(number, (3, 2, 7, 6, 5, 4, 3, 2, 1), strict=True))
        assert weighted % 11 == 0


def test_a_repeat_is_the_very_same_event():
    earlier = {sample.value: sample for sample in of(Kind.GOOD) + of(Kind.ODD)}
    for sample in of(Kind.REPEAT):
        assert sample.headers == earlier[sample.value].headers


def test_a_conflict_names_an_invoice_that_was_sent():
    amounts = {sample.key: data(sample)["invoice"] for sample in of(Kind.GOOD) + of(Kind.ODD)}
    for sample in of(Kind.CONFLICT):
        assert data(sample)["invoice"] != amounts[sample.key]


def test_the_wrong_ones_are_wrong_in_several_ways():
    wrong = of(Kind.INVALID)
    assert any(sample.value is None for sample in wrong)
    assert any(sample.value == b"" for sample in wrong)
    assert any(sample.partition != partition_for(sample.key, 4) for sample in wrong)
    assert any(sample.value and not isinstance(loads(sample.value), dict) for sample in wrong)


def test_times_follow_the_rate():
    made = samples(3, 1, seed=0, start=NOW, interval=0.5)
    times = [datetime.fromisoformat(dict(sample.headers)["ce_time"].decode()) for sample in made]
    assert times == [NOW, NOW + timedelta(seconds=0.5), NOW + timedelta(seconds=1)]


@pytest.mark.parametrize("partitions", [1, 2, 12])
def test_partitions_exist(partitions: int):
    assert {sample.partition for sample in samples(300, partitions, 1, NOW)} <= set(range(partitions))


def decoded(sample: Sample) -> Decoded:
    record = Record("invoice.requests", sample.partition, 0, 0, sample.key, sample.value, sample.headers)
    return decode(record, partition_count=4)


def test_the_worker_reads_them_as_they_are_meant():
    for sample in MADE:
        found = decoded(sample)
        if sample.kind is Kind.INVALID:
            assert isinstance(found, Invalid)
        else:
            assert isinstance(found, Event), (found, sample)
            assert found.identity == sample.key.decode()
    reasons = {found.reason for sample in of(Kind.INVALID) if isinstance(found := decoded(sample), Invalid)}
    assert reasons == {Refusal.UNDECODABLE, Refusal.VALIDATION, Refusal.MISROUTED}
