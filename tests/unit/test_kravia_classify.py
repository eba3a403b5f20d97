"""Every row of the failures table, and what must never be read out of an answer."""

import json
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.answers import (
    AlreadyThere,
    Answer,
    Done,
    Forbidden,
    NotSent,
    NotVisible,
    Refused,
    Registered,
    Stop,
    Throttled,
    Unclear,
)
from worker.kravia.classify import Endpoint, Reply, Rules, classify, status_class
from worker.retry import retry_after

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STEPS = [Endpoint.REGISTER, Endpoint.ATTACH, Endpoint.START]
FOLLOW_UPS = [Endpoint.ATTACH, Endpoint.START]


def answer(
    endpoint: Endpoint, status: int, body: str = "", rules: Rules | None = None, *, whole: bool = True, **headers: str
) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return classify(endpoint, Reply(status, named, body, whole), rules or Rules(), NOW)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (429, Throttled(429, None)),
        (409, AlreadyThere(409)),
        (401, Stop(401)),
        (301, Stop(301)),
        (302, Stop(302)),
        (304, Stop(304)),
        (307, Stop(307)),
        (308, Stop(308)),
        (403, Forbidden(403)),
        (400, Refused(400)),
        (413, Refused(413)),
        (415, Refused(415)),
        (422, Refused(422)),
        (402, Refused(402)),
        (418, Refused(418)),
        (499, Refused(499)),
        (408, Unclear("request_timeout", 408)),
        (500, Unclear("server_error", 500)),
        (502, Unclear("server_error", 502)),
        (503, Unclear("server_error", 503)),
        (504, Unclear("server_error", 504)),
        (599, Unclear("server_error", 599)),
        (101, Unclear("server_error", 101)),
        (700, Unclear("server_error", 700)),
    ],
)
def test_rows_that_are_the_same_for_all_steps(step: Endpoint, status: int, expected: Answer) -> None:
    assert answer(step, status) == expected


def test_a_404_stops_the_intake_on_register_and_means_not_visible_later() -> None:
    assert answer(Endpoint.REGISTER, 404) == Stop(404)
    assert [answer(step, 404) for step in FOLLOW_UPS] == [NotVisible(404)] * 2
    assert answer(Endpoint.DETAILS, 404) == NotVisible(404)
    assert answer(Endpoint.SEARCH, 404) == Stop(404)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_2xx_is_done_for_attach_and_start_and_needs_an_id_on_register(status: int) -> None:
    assert [answer(step, status) for step in FOLLOW_UPS] == [Done(status)] * 2
    assert answer(Endpoint.REGISTER, status, '{"id": 4711}') == Registered("4711", status)
    assert answer(Endpoint.REGISTER, status) == Unclear("no_id", status)


@pytest.mark.parametrize("step", STEPS)
def test_503_is_throttling_only_when_it_says_until_when(step: Endpoint) -> None:
    assert answer(step, 503, Retry_After="7") == Throttled(503, 7.0)
    assert answer(step, 503, Retry_After="soon") == Unclear("server_error", 503)
    assert answer(step, 429, Retry_After="7") == Throttled(429, 7.0)
    assert answer(step, 429, Retry_After="soon") == Throttled(429, None)
    assert answer(step, 500, Retry_After="7") == Unclear("server_error", 500, 7.0)


@pytest.mark.parametrize("step", STEPS)
def test_a_matching_error_body_means_there_already(step: Endpoint) -> None:
    rules = Rules(already_exists=(re.compile("already (exists|registered)"),))
    body = '{"message": "The invoice already exists"}'
    for status in (400, 404, 422, 500, 503):
        assert answer(step, status, body, rules) == AlreadyThere(status)
    assert answer(step, 503, body, rules, Retry_After="3") == AlreadyThere(503)
    assert answer(step, 422, '{"message": "no such currency"}', rules) == Refused(422, "the answer's fields: message")
    # Decided in front of the invoice: the body is not asked.
    assert answer(step, 401, body, rules) == Stop(401)
    assert answer(step, 403, body, rules) == Forbidden(403)
    assert answer(step, 429, body, rules) == Throttled(429, None)


def test_no_pattern_matches_unless_one_is_set() -> None:
    assert answer(Endpoint.REGISTER, 422, "already exists") == Refused(422)


def test_a_refusal_names_fields_and_never_values() -> None:
    body = json.dumps(
        {"title": "Ola Nordmann 01017012345", "errors": {"email": ["ola@example.com is wrong"], "01017012345": ["x"]}}
    )
    refused = answer(Endpoint.REGISTER, 422, body)
    assert refused == Refused(422, "the answer's fields: title, errors, errors.email, errors.?")
    long = answer(Endpoint.REGISTER, 422, json.dumps({f"field{n}": 1 for n in range(500)}))
    assert isinstance(long, Refused)
    assert len(long.hint) <= 200


def test_a_2xx_without_an_id_names_the_fields_that_came() -> None:
    assert answer(Endpoint.REGISTER, 200, '{"reference": {"number": 1}, "ok": true}') == Unclear(
        "no_id", 200, fields=("reference", "ok")
    )
    assert answer(Endpoint.REGISTER, 200, '{"reference": {"number": 1}}', Rules("/reference/number")) == Registered("1")


def test_a_cut_off_2xx_is_never_read_for_an_id() -> None:
    assert answer(Endpoint.REGISTER, 200, "4711", whole=False) == Unclear("no_id", 200)


@given(st.integers(100, 999), st.text(max_size=50), st.sampled_from(list(Endpoint)), st.none() | st.text(max_size=30))
def test_what_may_have_been_carried_out_is_never_called_certain(
    status: int, body: str, endpoint: Endpoint, wait: str | None
) -> None:
    """For any answer at all: there is one, and only the listed statuses close an intent as not carried out."""
    headers = {} if wait is None else {"Retry-After": wait}
    found = classify(endpoint, Reply(status, headers, body), Rules(), NOW)
    if endpoint is Endpoint.REGISTER:
        assert not isinstance(found, Done | NotVisible | NotSent)
        if isinstance(found, Throttled):
            assert status == 429 or (status == 503 and wait is not None)
        if isinstance(found, Refused):
            assert 400 <= status <= 499
            assert status not in (401, 403, 404, 408, 409, 429)
    else:
        assert not isinstance(found, Registered)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 120 ", 120.0),
        ("-5", 0.0),
        ("99999999", 3600.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sunday, 01-Mar-26 12:00:30 GMT", 30.0),
        ("Sun Mar  1 12:00:30 2026", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("Sun, 01 Mar 2099 11:00:00 GMT", 3600.0),
        ("", None),
        ("soon", None),
        ("1.5", None),
        ("Sun, 99 Mar 2026 12:00:30 GMT", None),
        (None, None),
    ],
)
def test_retry_after_in_seconds_and_as_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW, 3600.0) == seconds


@given(st.text(max_size=60))
def test_any_retry_after_is_bounded_or_none(value: str) -> None:
    found = retry_after(value, NOW, 60.0)
    assert found is None or 0.0 <= found <= 60.0


@given(st.integers(-100_000, 100_000))
def test_a_date_counts_from_now(seconds: int) -> None:
    value = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert retry_after(value, NOW, 3600.0) == min(max(float(seconds), 0.0), 3600.0)


@pytest.mark.parametrize(
    ("ended", "name"),
    [
        (Reply(200, {}, ""), "2xx"),
        (Reply(302, {}, ""), "3xx"),
        (Reply(404, {}, ""), "4xx"),
        (Reply(429, {}, ""), "429"),
        (Reply(503, {}, ""), "5xx"),
        (Reply(101, {}, ""), "1xx"),
        (Reply(700, {}, ""), "other"),
        (NotSent("pool"), "not_sent"),
        (Unclear("timeout"), "timeout"),
        (Unclear("lost", 200), "lost"),
    ],
)
def test_status_classes_are_bounded(ended: Reply | NotSent | Unclear, name: str) -> None:
    assert status_class(ended) == name
