"""What a person's decision does, in every state of the ledger."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.model import Audit, Call, Command, Coordinates, Envelope, Refusal, Rejected, Repeated, Resolved, TopicNames
from worker.ownership.table import LedgerTable
from worker.standing import MAX_COMMANDS, Entry, State, decode_entry, encode_entry
from worker.verdict import obey

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
IDENTITY = "10759/Invoice/20001"
ENVELOPE = Envelope(Coordinates("invoice.replays", 0, 5), "c-1", "/ops", None, None, NOW)
DOUBT = 41


def command(verb="registered", *, doubt=DOUBT, name="c-1"):
    invoice_id = "4711" if verb == "registered" else None
    audit = Audit(name, verb, "kari", NOW, "saw it in the portal")
    return Command(replace(ENVELOPE, audit=audit), IDENTITY, audit, doubt, invoice_id, False, 100)


def call(intent, answer="unclear:timeout"):
    return Call(NOW, answer, "me", intent)


def in_doubt(*calls):
    return Entry(State.IN_DOUBT, doubt=DOUBT, digests={"invoiceNo": "aa"}, outcome="o-1", calls=calls or (call(DOUBT),))


STANDING = {
    State.ABSENT: Entry(outcome="o-1"),
    State.SCHEDULED: Entry(State.SCHEDULED, invoice_id="4000", outcome="o-1"),
    State.REGISTERED: Entry(State.REGISTERED, invoice_id="4000", outcome="o-1"),
    State.DISCARDED: Entry(State.DISCARDED, outcome="o-1"),
}


def test_registered_as_an_id():
    ending, after = obey(in_doubt(), command())
    assert ending == Resolved("registered", "kari", "saw it in the portal", DOUBT, "4711")
    assert (after.state, after.invoice_id, after.doubt) == (State.REGISTERED, "4711", None)
    assert after.digests == {"invoiceNo": "aa"}  # a later event must say the same to go on


def test_not_registered():
    ending, after = obey(in_doubt(), command("not_registered"))
    assert ending == Resolved("not_registered", "kari", "saw it in the portal", DOUBT, None)
    assert (after.state, after.invoice_id, after.doubt) == (State.ABSENT, None, None)


@pytest.mark.parametrize("verb", ["registered", "not_registered"])
@pytest.mark.parametrize("state", STANDING)
def test_nothing_else_is_ever_moved_by_a_verdict(state, verb):
    before = STANDING[state]
    ending, after = obey(before, command(verb))
    assert ending == Repeated("o-1", before.invoice_id)
    assert replace(after, commands=()) == before


@pytest.mark.parametrize("verb", ["registered", "not_registered"])
@pytest.mark.parametrize("doubt", [DOUBT - 1, DOUBT + 1, 0])
def test_a_verdict_about_another_doubt_has_no_effect(verb, doubt):
    ending, after = obey(in_doubt(), command(verb, doubt=doubt))
    assert ending == Repeated("o-1", None)
    assert (after.state, after.doubt) == (State.IN_DOUBT, DOUBT)


@pytest.mark.parametrize("entry", [None, Entry()])
@pytest.mark.parametrize("verb", ["registered", "not_registered"])
def test_an_identity_that_the_ledger_does_not_know(entry, verb):
    ending, after = obey(entry, command(verb))
    assert isinstance(ending, Rejected)
    assert ending.reason is Refusal.CONFLICT
    assert [problem.pointer for problem in ending.problems] == ["/doubt"]
    assert (after.state, after.invoice_id) == (State.ABSENT, None)


def test_a_command_id_seen_twice_has_no_effect():
    """Also when the same doubt is back meanwhile, as it can't be."""
    _, once = obey(in_doubt(), command("not_registered"))
    again = replace(once, state=State.IN_DOUBT, doubt=DOUBT)
    ending, after = obey(again, command("registered"))
    assert isinstance(ending, Repeated)
    assert after == again


def test_the_ids_of_obeyed_and_of_futile_commands_are_kept_bounded():
    entry = in_doubt()
    for number in range(MAX_COMMANDS + 5):
        _, entry = obey(entry, command(doubt=7, name=f"c-{number}"))
    assert entry.commands == tuple(f"c-{number}" for number in range(5, MAX_COMMANDS + 5))


@pytest.mark.parametrize(
    ("verb", "answer"), [("registered", "registered:verdict"), ("not_registered", "not_carried_out:verdict")]
)
def test_the_evidence_tells_who_closed_the_call(verb, answer):
    first = call(12, "not_carried_out:throttled_429")
    _, after = obey(in_doubt(first, call(DOUBT)), command(verb))
    assert after.calls == (first, call(DOUBT, answer))


def doubles(*entries):
    """As a restart counts them: from the ledger's records."""
    table = LedgerTable(TopicNames().inputs)
    for offset, entry in enumerate(entries):
        table.load(IDENTITY.encode(), decode_entry(encode_entry(entry)), offset)
    return table.doubles


def test_two_calls_that_may_have_been_carried_out_are_a_possible_double_register():
    before = in_doubt(call(12), call(DOUBT))
    assert doubles(before) == 1
    assert doubles(in_doubt(call(12, "not_carried_out:witnessed"), call(DOUBT))) == 0


def test_a_verdict_takes_it_back_and_a_restart_keeps_that():
    before = in_doubt(call(12), call(DOUBT))
    _, after = obey(before, command("not_registered"))
    assert doubles(before, after) == 0
    assert doubles(after) == 0
    _, still = obey(before, command("registered"))
    assert doubles(before, still) == 1  # the other one is as doubtful as before


def test_calls_that_are_folded_away_still_count():
    entry = in_doubt(*[call(number) for number in range(3)])
    entry = entry.with_calls([call(100 + number, "not_carried_out:refused_422") for number in range(16)])
    assert entry.folded == {"unclear:timeout": 3}
    assert doubles(entry) == 1


ANSWERS = st.sampled_from(["registered", "unclear:timeout", "unknown", "not_carried_out:witnessed", "not_carried_out"])


@given(st.lists(st.lists(ANSWERS, max_size=20), min_size=1, max_size=10))
def test_the_count_is_that_of_the_latest_entries_however_often_they_changed(history):
    table = LedgerTable(TopicNames().inputs)
    latest = {}
    for offset, answers in enumerate(history):
        key = f"10759/Invoice/{offset % 3}"
        latest[key] = answers
        entry = Entry().with_calls([call(number, answer) for number, answer in enumerate(answers)])
        table.load(key.encode(), entry, offset)
    may = [sum(not answer.startswith("not_carried_out") for answer in answers) for answers in latest.values()]
    assert table.doubles == sum(count > 1 for count in may)
