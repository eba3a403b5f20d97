"""The catalogue, the instruments behind the Observer, and the page made from it."""

import ast
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from worker.answers import Answer, Forbidden, NotSent, Stop, Unclear
from worker.at_risk import Exposure, Risk, stake
from worker.flow import Creditors
from worker.gate import Gate, GatePolicy
from worker.model import Reason, Refusal, Step, TopicNames
from worker.ports import LostWhy, Observer
from worker.standing import State as LedgerState
from worker.telemetry import catalogue as c
from worker.telemetry.labels import ENDINGS, GATE_STATES, OUTCOMES, OWNERSHIP, WARNINGS, State
from worker.telemetry.metrics import PartitionGauges, PrometheusObserver
from worker.telemetry.reference import render


class StillClock:
    """The gate's clock, as far as these tests need one: it stands still."""

    def now(self) -> datetime:
        return datetime(2026, 3, 2, tzinfo=UTC)

    def boottime(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return 0.0


ROOT = Path(__file__).parents[2]


def samples(observer: PrometheusObserver) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    body, _ = observer.expose("")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def value(observer: PrometheusObserver, name: str, **labels: str) -> float:
    return samples(observer)[c.PREFIX + name, frozenset(labels.items())]


def test_documents():
    observer = PrometheusObserver()
    observer.fetched("ok", 12, 0.5)
    observer.fetched("document_missing", 0, 0.1)
    observer.fetched("what nobody listed", 3, 0.1)
    observer.spooled(24)
    assert value(observer, "document_fetches_total", result="ok") == 1
    assert value(observer, "document_fetches_total", result="document_missing") == 1
    assert value(observer, "document_fetches_total", result="other") == 1
    assert value(observer, "document_bytes_total") == 15
    assert value(observer, "document_fetch_seconds_count") == 3
    assert value(observer, "document_spool_bytes") == 24
    observer.retried(Step.FETCH, "unreachable_timeout")
    assert value(observer, "retries_total", step="fetch", why="unreachable") == 1


def test_every_closed_series_starts_at_zero():
    found = samples(PrometheusObserver())
    for metric in c.CATALOGUE:
        if metric.kind is not c.Kind.COUNTER:
            continue
        for labels in metric.combinations():
            assert found[metric.name, frozenset(zip(metric.label_names, labels, strict=True))] == 0
    for outcome in OUTCOMES.values:
        assert found[c.EVENT_AGE.name + "_count", frozenset({("outcome", outcome)})] == 0


def test_catalogue_and_exposition_name_the_same_metrics():
    observer = PrometheusObserver()
    observer.gauges(lambda: [PartitionGauges(0)])
    body, _ = observer.expose("")
    exposed = {
        family.name: family
        for family in text_string_to_metric_families(body.decode())
        if family.name.startswith(c.PREFIX) and not family.name.endswith("_created")
    }
    assert set(exposed) == {metric.name.removesuffix("_total") for metric in c.CATALOGUE}
    for metric in c.CATALOGUE:
        family = exposed[metric.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (metric.kind, metric.meaning)


@pytest.mark.parametrize("metric", c.CATALOGUE, ids=lambda metric: metric.name)
def test_names_follow_the_conventions(metric: c.Metric):
    assert metric.name.startswith(c.PREFIX)
    assert (metric.kind is c.Kind.COUNTER) == metric.name.endswith("_total")
    assert (metric.kind is c.Kind.HISTOGRAM) == bool(metric.buckets)
    assert list(metric.buckets) == sorted(set(metric.buckets))
    if metric.kind is c.Kind.HISTOGRAM:
        assert metric.name.endswith("_seconds")
    assert not {"id", "identity", "creditor", "invoice"} & set(metric.label_names)
    assert metric.meaning.endswith(".")


def test_process_and_gc_metrics_are_exposed():
    names = {name for name, _ in samples(PrometheusObserver())}
    assert {"process_resident_memory_bytes", "python_gc_collections_total"} <= names


def test_two_observers_do_not_share_counts():
    first, second = PrometheusObserver(), PrometheusObserver()
    first.trimmed(ok=True)
    assert value(first, "journal_trims_total", result="ok") == 1
    assert value(second, "journal_trims_total", result="ok") == 0


def test_every_method_of_the_port_is_counted():
    overridden = set(vars(PrometheusObserver))
    assert {name for name in vars(Observer) if not name.startswith("_")} <= overridden


def test_counts():
    observer = PrometheusObserver()
    observer.consumed("invoice.requests", 2)
    observer.settled(2, "scheduled", "", 0.3)
    observer.settled(2, "failed", Reason.IN_DOUBT, 1000.0)
    observer.called("register", "2xx", 0.02)
    observer.retried(Step.ATTACH, "server_error")
    observer.committed(2, 7, 0.03)
    observer.restored(2, 1.5, 100, 3)
    observer.resolved("certainlynot")
    observer.resolved("no_witness")
    observer.swept("complete", 20, 0.4)
    observer.swept("search: server_error", 3, 0.4)
    observer.trimmed(ok=False)
    observer.ownership(2, LostWhy.FENCED)
    observer.warned("key_differs")
    assert value(observer, "consumed_total", topic="invoice.requests", partition="2") == 1
    assert value(observer, "settled_total", outcome="scheduled", reason="none") == 1
    assert value(observer, "settled_total", outcome="failed", reason="in_doubt") == 1
    assert value(observer, "event_age_seconds_bucket", outcome="scheduled", le="0.5") == 1
    assert value(observer, "event_age_seconds_bucket", outcome="failed", le="900.0") == 0
    assert value(observer, "event_age_seconds_bucket", outcome="failed", le="1200.0") == 1
    assert value(observer, "calls_total", step="register", status_class="2xx") == 1
    assert value(observer, "call_seconds_count", step="register") == 1
    assert value(observer, "retries_total", step="attach", why="server_error") == 1
    assert value(observer, "commit_seconds_count") == 1
    assert value(observer, "commit_records_total") == 7
    assert value(observer, "restore_records_total", source="ledger") == 100
    assert value(observer, "doubts_resolved_total", resolution="not_registered") == 1
    assert value(observer, "doubts_resolved_total", resolution="no_witness") == 1
    assert value(observer, "sweeps_total", result="complete") == 1
    assert value(observer, "sweeps_total", result="search_failed") == 1
    assert value(observer, "sweep_rows_total") == 23
    assert value(observer, "sweep_seconds_count") == 2
    assert value(observer, "journal_trims_total", result="failed") == 1
    assert value(observer, "ownership_changes_total", change="fenced") == 1
    assert value(observer, "warnings_total", code="key_differs") == 1


def test_a_value_that_is_not_listed_makes_no_series():
    observer = PrometheusObserver()
    before = set(samples(observer))
    observer.called("delete", "999", 1.0)
    observer.called("register", "999", 1.0)
    observer.settled(0, "scheduled", "nonsense", 1.0)
    observer.warned("something new")
    observer.gate("closed", "something new")
    assert set(samples(observer)) == before
    assert value(observer, "calls_total", step="other", status_class="other") == 1
    assert value(observer, "calls_total", step="register", status_class="other") == 1
    assert value(observer, "settled_total", outcome="other", reason="other") == 1
    assert value(observer, "gate_why", why="other") == 1


def test_a_partition_that_is_owned_shows_zero_consumed():
    observer = PrometheusObserver(TopicNames(requests="a.requests", replays="a.replays"))
    observer.ownership(5, "started")
    assert value(observer, "consumed_total", topic="a.requests", partition="5") == 0
    assert value(observer, "consumed_total", topic="a.replays", partition="5") == 0
    observer.consumed("not.ours", 5)
    assert value(observer, "consumed_total", topic="other", partition="5") == 1


def test_an_event_from_the_future_counts_as_new():
    observer = PrometheusObserver()
    observer.settled(0, "scheduled", "", -4.0)
    assert value(observer, "event_age_seconds_sum", outcome="scheduled") == 0


def test_the_gate_is_in_one_state():
    observer = PrometheusObserver()
    assert value(observer, "gate_state", state="half_open") == 1
    observer.gate("closed", "register stop_401")
    assert [value(observer, "gate_state", state=state) for state in GATE_STATES.values] == [0, 0, 1]
    assert value(observer, "gate_why", why="unauthorized") == 1
    observer.gate("open", "")
    assert [value(observer, "gate_state", state=state) for state in GATE_STATES.values] == [1, 0, 0]
    assert value(observer, "gate_why", why="unauthorized") == 0
    assert value(observer, "gate_why", why="none") == 1
    assert value(observer, "gate_changes_total", state="closed") == 1


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Stop(401), "unauthorized"),
        (Stop(302), "redirect"),
        (Stop(404), "not_found"),
        (NotSent("connect"), "failures"),
        (Unclear("no_id", 200, None, ("reference",)), "no_id"),
    ],
)
async def test_the_gates_own_sentences_lead_to_a_label(answer: Answer, why: str):
    async def probe() -> Answer:
        return answer

    observer = PrometheusObserver()
    gate = Gate(GatePolicy(), probe, StillClock(), observer)
    assert value(observer, "gate_why", why="start") == 1
    async with gate.passage(Step.REGISTER) as passage:
        passage.answer = answer
    assert value(observer, "gate_state", state="closed") == 1
    assert value(observer, "gate_why", why=why) == 1


async def test_a_creditors_gate_says_forbidden():
    async def probe() -> Answer:
        return Forbidden()

    observer = PrometheusObserver()
    creditors = Creditors(Gate(GatePolicy(), probe, StillClock(), observer), StillClock(), several=2)
    for creditor in (1, 2):
        creditors.answered(creditor, forbidden=True)
    assert value(observer, "gate_why", why="forbidden") == 1


def test_a_kind_of_a_listed_value_counts_as_that():
    observer = PrometheusObserver()
    observer.retried(Step.REGISTER, "not_sent_connect")
    observer.retried(Step.REGISTER, "throttled_429")
    observer.retried(Step.REGISTER, "nothing_of_ours")
    assert value(observer, "retries_total", step="register", why="not_sent") == 1
    assert value(observer, "retries_total", step="register", why="throttled") == 1
    assert value(observer, "retries_total", step="register", why="other") == 1


@pytest.mark.parametrize(
    ("waiting", "state"), [("register", State.REGISTERING), (Step.START, State.STARTING), ("gate", State.GATE)]
)
def test_a_step_is_a_state(waiting: str, state: State):
    assert State.of(waiting) is state


def test_gauges_are_read_at_each_scrape():
    observer = PrometheusObserver()
    now: list[PartitionGauges] = []
    observer.gauges(lambda: now)
    assert value(observer, "in_flight_events") == 0
    now.append(PartitionGauges(3, {State.QUEUED: 5, State.BACKOFF: 2}, 12.5, 1, 4096))
    assert value(observer, "events", partition="3", state="backoff") == 2
    assert value(observer, "events", partition="3", state="gate") == 0
    assert value(observer, "oldest_unfinished_seconds", partition="3") == 12.5
    assert value(observer, "open_intents", partition="3") == 1
    assert value(observer, "in_flight_events") == 2
    assert value(observer, "in_flight_bytes") == 4096
    assert value(observer, "owned_partitions") == 1
    now.clear()
    assert (c.PREFIX + "events", frozenset({("partition", "3"), ("state", "backoff")})) not in samples(observer)


def test_doubts_and_what_the_ledger_holds_are_gauges():
    observer = PrometheusObserver()
    assert value(observer, "possible_double_registers") == 0
    ledgers = [{LedgerState.IN_DOUBT: 3, LedgerState.SCHEDULED: 10}, {LedgerState.SCHEDULED: 5}]
    observer.gauges(
        lambda: [
            PartitionGauges(0, doubts=2, oldest_doubt_seconds=61.5, ledger=ledgers[0], possible_doubles=1),
            PartitionGauges(7, ledger=ledgers[1], possible_doubles=1),
        ]
    )
    assert value(observer, "doubts", partition="0", state="reconciling") == 2
    assert value(observer, "doubts", partition="0", state="given_up") == 3
    assert value(observer, "doubts", partition="7", state="given_up") == 0
    assert value(observer, "oldest_doubt_seconds", partition="0") == 61.5
    assert value(observer, "ledger_identities", state="scheduled") == 15
    assert value(observer, "ledger_identities", state="discarded") == 0
    assert value(observer, "possible_double_registers") == 2


def test_money_at_risk_is_summed_over_the_partitions():
    observer, first, second = PrometheusObserver(), Exposure(), Exposure()
    first.add(stake(Risk.IN_DOUBT, Decimal("2500.10"), "NOK"))
    second.add(stake(Risk.IN_DOUBT, Decimal("0.20"), "NOK"))
    second.add(stake(Risk.DEAD, Decimal(7), "JPY"))
    observer.gauges(lambda: [PartitionGauges(0, exposure=first), PartitionGauges(1, exposure=second)])
    assert value(observer, "money_at_risk", state="in_doubt", currency="NOK") == 2500.3
    assert value(observer, "invoices_at_risk", state="in_doubt", currency="NOK") == 2
    assert value(observer, "money_at_risk", state="dead", currency="other") == 7
    assert value(observer, "invoices_at_risk", state="behind_gate", currency="SEK") == 0


def test_the_scraper_chooses_the_format():
    observer = PrometheusObserver()
    body, content_type = observer.expose("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    body, content_type = observer.expose("text/plain")
    assert content_type.startswith("text/plain")
    assert b"# EOF" not in body


def test_closed_unions_are_covered():
    reasons = {pair for pair in ENDINGS if pair[0] == "failed"}
    assert reasons == {("failed", reason) for reason in Reason}
    assert {pair for pair in ENDINGS if pair[0] == "rejected"} == {("rejected", reason) for reason in Refusal}
    assert set(LostWhy) <= set(OWNERSHIP.values)


def test_every_warning_that_the_worker_gives_is_in_the_catalogue():
    given = {
        call.args[0].value
        for path in (ROOT / "worker").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "warned"
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }
    assert given <= set(WARNINGS.values), "name the code and its meaning in worker/telemetry/labels.py"


def test_the_page_is_in_sync():
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    assert page == render(), "run: python -m worker.telemetry.reference > docs/reference/metrics.md"
