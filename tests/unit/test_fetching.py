"""What follows when documents were fetched, or were not."""

import pytest

from tests.unit.fakes_documents import FakeDocument
from worker import fetching
from worker.fetching import SENTENCES, FetchAgain, after_fetch
from worker.model import Refusal, Rejected, Step
from worker.ports import Altered, Missing, NotAllowed, Unreachable

GOOD = FakeDocument(b"content")


def test_all_there():
    assert after_fetch([(0, GOOD), (3, GOOD)], None) is None
    assert after_fetch([], None) is None


def test_every_document_that_can_not_be_had_is_named():
    results = [(0, GOOD), (1, Altered(fetching.DIGEST, 200)), (4, Missing(fetching.MISSING, 404))]
    ended = after_fetch([*results, (5, NotAllowed(fetching.HOST))], "4711")
    assert isinstance(ended, Rejected)
    assert (ended.reason, ended.step, ended.http_status, ended.invoice_id) == (
        Refusal.DOCUMENT,
        Step.FETCH,
        404,
        "4711",
    )
    assert [(problem.pointer, problem.code) for problem in ended.problems] == [
        ("/attachments/1/url", "document_digest"),
        ("/attachments/4/url", "document_missing"),
        ("/attachments/5/url", "document_host"),
    ]
    assert "DOCUMENT_ALLOW_HOSTS" in ended.problems[2].message


def test_what_can_not_be_had_ends_the_event_though_another_store_is_away():
    assert isinstance(after_fetch([(0, Missing(fetching.MISSING, 404)), (1, Unreachable("dns"))], None), Rejected)


def test_a_store_that_is_away_is_asked_again_when_it_says_so():
    results = [(0, Unreachable("server_error", 503, 7.0)), (1, Unreachable("throttled", 429, 9.0))]
    assert after_fetch(results, None) == FetchAgain("unreachable_server_error", 503, 9.0)
    assert after_fetch([(0, GOOD), (1, Unreachable("timeout"))], None) == FetchAgain("unreachable_timeout", None, None)


@pytest.mark.parametrize("code", SENTENCES)
def test_each_code_says_what_to_do(code):
    assert code.startswith("document_")
    assert len(SENTENCES[code].split()) > 8
