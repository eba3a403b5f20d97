"""What follows an answer: every row of the first table in docs/explanation/failures.md."""

import pytest

from worker.answers import (
    AlreadyThere,
    Done,
    Forbidden,
    NotSent,
    NotVisible,
    Refused,
    Registered,
    Stop,
    Throttled,
    Unclear,
    answer_class,
    http_status,
)
from worker.facts import Kind
from worker.model import Refusal, Rejected, Step
from worker.ports import Details
from worker.saga import (
    Again,
    Ask,
    End,
    LeaveToPerson,
    Proceed,
    Resend,
    Skip,
    Through,
    Uncertain,
    after_follow_up,
    after_register,
    attach_after_details,
    register_fact,
    start_after_details,
)

NOT_CARRIED_OUT, UNCLEAR = Kind.NOT_CARRIED_OUT, Kind.UNCLEAR
FOLLOW_UPS = pytest.mark.parametrize("step", [Step.ATTACH, Step.START])
MAYBE = [
    Unclear("request_timeout", 408),
    Unclear("server_error", 500),
    Unclear("server_error", 503),
    Unclear("timeout"),
    Unclear("lost"),
    Unclear("no_id", 200, fields=("ref",)),
]


class TestRegister:
    @pytest.mark.parametrize("why", ["connect", "tls", "pool", "dns"])
    def test_not_sent_is_tried_again(self, why):
        assert after_register(NotSent(why)) == Again(f"not_sent_{why}")
        assert register_fact(NotSent(why)) == (NOT_CARRIED_OUT, f"not_sent_{why}")

    def test_an_intent_that_grew_too_old_is_announced_anew_and_counts_for_no_bound(self):
        assert after_register(NotSent("expired")) == Again("not_sent_expired", counts=False)
        assert register_fact(NotSent("expired"))[0] is NOT_CARRIED_OUT

    @pytest.mark.parametrize("status", [429, 503])
    def test_throttled_is_tried_again_and_counts_for_no_bound(self, status):
        assert after_register(Throttled(status, 7.0)) == Again(f"throttled_{status}", counts=False)
        assert register_fact(Throttled(status, None)) == (NOT_CARRIED_OUT, f"throttled_{status}")

    @pytest.mark.parametrize("status", [400, 413, 415, 422, 418])
    def test_a_definite_refusal_rejects(self, status):
        verdict = after_register(Refused(status, "the answer's fields: dueDate"))
        assert isinstance(verdict, End)
        assert isinstance(verdict.ending, Rejected)
        assert (verdict.ending.reason, verdict.ending.step) == (Refusal.REFUSED, Step.REGISTER)
        assert (verdict.ending.http_status, verdict.ending.invoice_id) == (status, None)
        assert "dueDate" in verdict.ending.problems[0].message
        assert register_fact(Refused(status))[0] is NOT_CARRIED_OUT

    def test_that_it_exists_already_is_a_doubt(self):
        assert after_register(AlreadyThere(409)) == Uncertain("already_there", 409)
        assert register_fact(AlreadyThere(409)) == (UNCLEAR, "already_there")

    @pytest.mark.parametrize("status", [401, 302, 404])
    def test_what_stops_the_intake_ends_no_event(self, status):
        assert after_register(Stop(status)) == Again(f"stop_{status}", counts=False)
        assert register_fact(Stop(status))[0] is NOT_CARRIED_OUT

    def test_403_waits_for_the_creditor(self):
        assert after_register(Forbidden()) == Again("forbidden", forbidden=True)
        assert register_fact(Forbidden())[0] is NOT_CARRIED_OUT

    @pytest.mark.parametrize("answer", MAYBE, ids=lambda answer: f"{answer.kind}-{answer.status}")
    def test_what_may_have_been_carried_out_is_a_doubt(self, answer):
        assert after_register(answer) == Uncertain(answer.kind, answer.status)
        assert register_fact(answer) == (UNCLEAR, answer.kind)

    def test_an_id_goes_on(self):
        assert after_register(Registered("4711")) == Proceed("4711")
        assert register_fact(Registered("4711")) == (Kind.REGISTERED, None)

    def test_an_answer_that_register_never_gives_is_on_the_safe_side(self):
        assert isinstance(after_register(Done()), Uncertain)
        assert register_fact(Done())[0] is UNCLEAR


@FOLLOW_UPS
class TestAttachAndStart:
    def test_done_goes_on(self, step):
        assert after_follow_up(step, Done(), "4711") == Through()

    def test_not_sent_is_tried_again(self, step):
        assert after_follow_up(step, NotSent("connect"), "4711") == Again("not_sent_connect")
        assert after_follow_up(step, NotSent("expired"), "4711") == Again("not_sent_expired", counts=False)

    @pytest.mark.parametrize("status", [429, 503])
    def test_throttled_is_tried_again_and_counts_for_no_bound(self, step, status):
        assert after_follow_up(step, Throttled(status, 1.0), "4711") == Again(f"throttled_{status}", counts=False)

    @pytest.mark.parametrize("status", [400, 413, 415, 422, 418])
    def test_a_definite_refusal_rejects_and_keeps_the_id(self, step, status):
        verdict = after_follow_up(step, Refused(status), "4711")
        assert isinstance(verdict, End)
        assert isinstance(verdict.ending, Rejected)
        assert (verdict.ending.step, verdict.ending.invoice_id) == (step, "4711")

    def test_that_it_exists_already_asks_details(self, step):
        assert after_follow_up(step, AlreadyThere(409), "4711") == Ask("already_there")

    @pytest.mark.parametrize("status", [401, 302])
    def test_what_stops_the_intake_ends_no_event(self, step, status):
        assert after_follow_up(step, Stop(status), "4711") == Again(f"stop_{status}", counts=False)

    def test_403_waits_for_the_creditor(self, step):
        assert after_follow_up(step, Forbidden(), "4711") == Again("forbidden", forbidden=True)

    def test_404_is_not_visible_yet(self, step):
        assert after_follow_up(step, NotVisible(), "4711") == Again("not_visible", not_visible=True)

    @pytest.mark.parametrize("answer", MAYBE[:5], ids=lambda answer: f"{answer.kind}-{answer.status}")
    def test_what_may_have_been_carried_out_asks_details(self, step, answer):
        assert after_follow_up(step, answer, "4711") == Ask(answer.kind)

    def test_a_wait_that_was_asked_for_is_kept(self, step):
        assert after_follow_up(step, Unclear("request_timeout", 408, 9.0), "4711") == Ask("request_timeout", 9.0)


class TestDetails:
    @pytest.mark.parametrize("person", [False, True])
    @pytest.mark.parametrize(("documents", "decision"), [(("a.pdf",), Skip()), (("b.pdf",), Resend()), ((), Resend())])
    def test_where_details_tells_it_decides(self, person, documents, decision):
        assert (
            attach_after_details(Details(documents, None), "a.pdf", names_tell=True, unknown_to_person=person)
            == decision
        )

    def test_where_it_does_not_tell_the_setting_decides(self):
        assert attach_after_details(Details(None, None), "a.pdf", names_tell=True, unknown_to_person=False) == Resend()
        assert (
            attach_after_details(Details(None, None), "a.pdf", names_tell=True, unknown_to_person=True)
            == LeaveToPerson()
        )

    @pytest.mark.parametrize(("available", "decision"), [(True, Resend()), (None, Resend()), (False, Skip())])
    def test_start_is_sent_again_unless_it_is_no_longer_available(self, available, decision):
        assert start_after_details(Details(None, available)) == decision


def test_classes_and_statuses_are_bounded_names():
    answers = [Registered("1"), Done(), NotSent("tls"), Throttled(429, None), Refused(422), AlreadyThere(409)]
    answers += [Stop(401), Forbidden(), NotVisible(), Unclear("lost")]
    names = ["ok", "ok", "not_sent_tls", "throttled_429", "refused_422", "already_there"]
    assert [answer_class(answer) for answer in answers] == [*names, "stop_401", "forbidden", "not_visible", "lost"]
    assert [http_status(answer) for answer in answers] == [200, 200, None, 429, 422, 409, 401, 403, 404, None]
