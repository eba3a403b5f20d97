"""Which dead letters filters mean."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.deadletters.board import Summary
from worker.deadletters.letters import State
from worker.deadletters.selection import OPTIONS, Selection, parse, parse_time
from worker.model import Coordinates

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
ONE = Summary(
    at=Coordinates("invoice.dead-letters", 0, 4),
    origin=Coordinates("invoice.requests", 3, 17),
    identity="10759/Invoice/20%20001",
    outcome="rejected",
    reason="refused",
    step="register",
    http_status=422,
    invoice_id=None,
    doubt=None,
    attempts=1,
    replays=0,
    first_failure=NOW - timedelta(hours=5),
    last_failure=NOW - timedelta(hours=1),
    fingerprint="0123456789abcdef",
    message="Kravia refused register with status 422.",
    written_ms=0,
)


def fits(one=ONE, **options):
    selection = parse({name.replace("_", "-"): [value] for name, value in options.items()}, NOW)
    assert isinstance(selection, Selection), selection
    return selection.fits(one)


@pytest.mark.parametrize(
    ("option", "good", "other"),
    [
        ("state", "open", "resolved"),
        ("reason", "refused", "in_doubt"),
        ("step", "register", "attach"),
        ("creditor", "10759", "10760"),
        ("claim-type", "Invoice", "CreditNote"),
        ("invoice", "20 001", "20%20001"),
        ("invoice", "10759/Invoice/20%20001", "10759/Invoice/20001"),
        ("origin", "invoice.requests/3/17", "invoice.requests/3/18"),
        ("topic", "invoice.requests", "invoice.replays"),
        ("fingerprint", "0123", "1234"),
        ("fingerprint", "0123456789ABCDEF", "0123456789abcde0"),
        ("text", "REFUSED register", "attach"),
        ("text", "invoice/20", "30001"),
        ("since", "2h", "30m"),
        ("since", "2026-11-27T11:00:00Z", "2026-11-27T11:00:01Z"),
        ("until", "2026-11-27T12:01:00+01:00", "2026-11-27T11:00:00Z"),
        ("first-since", "1d", "4h"),
        ("first-until", "4h", "1w"),
        ("since", "2026-11-27", "2026-11-28"),
    ],
)
def test_each_filter(option, good, other):
    assert fits(**{option: good})
    assert not fits(**{option: other})


def test_filters_must_all_fit_and_their_values_are_alternatives():
    both = parse({"reason": ["refused", "expired"], "creditor": ["1", "10759"]}, NOW)
    assert both.fits(ONE)
    assert not parse({"reason": ["refused"], "creditor": ["1"]}, NOW).fits(ONE)


def test_what_is_not_open_is_left_out_unless_it_is_asked_for():
    done = replace(ONE, state=State.DISCARDED)
    assert not fits(done)
    assert fits(done, state="all")
    assert fits(done, state="discarded")


def test_without_an_identity_no_filter_of_the_invoice_fits():
    nameless = replace(ONE, identity=None)
    assert fits(nameless)
    assert not any(fits(nameless, **option) for option in ({"creditor": "10759"}, {"invoice": "1"}))


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("state", "closed"),
        ("reason", "bad"),
        ("step", "sing"),
        ("creditor", "x"),
        ("creditor", "-1"),
        ("claim-type", "invoice"),
        ("invoice", " "),
        ("origin", "invoice.requests/3"),
        ("fingerprint", "xyz"),
        ("since", "yesterday"),
        ("until", "2026-13-01"),
        ("first-since", "2x"),
    ],
)
def test_a_value_that_will_not_do_is_named(option, text):
    [problem] = parse({option: [text]}, NOW)
    assert problem.startswith(f"{option}: {text!r} won't do: ")


def test_every_problem_is_named():
    assert len(parse({"state": ["x"], "since": ["y"], "colour": ["blue"]}, NOW)) == 3


@given(st.sampled_from(sorted(OPTIONS)), st.text(max_size=30))
def test_no_text_breaks_the_parser(option, text):
    result = parse({option: [text]}, NOW)
    assert isinstance(result, list | Selection)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_as_it_is_shown_is_read_as_it_was(moment):
    assert parse_time(moment.isoformat(), NOW) == moment
    assert parse_time(moment.replace(tzinfo=None).isoformat(), NOW) == moment
