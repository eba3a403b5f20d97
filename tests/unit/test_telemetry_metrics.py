"""The instruments behind the Observer."""

import pytest

from tests.unit.scraped import samples, value
from worker.model import Reason, Step, TopicNames
from worker.ports import LostWhy, Observer
from worker.telemetry.metrics import PrometheusObserver


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


def test_a_kind_of_a_listed_value_counts_as_that():
    observer = PrometheusObserver()
    observer.retried(Step.REGISTER, "not_sent_connect")
    observer.retried(Step.REGISTER, "throttled_429")
    observer.retried(Step.REGISTER, "nothing_of_ours")
    assert value(observer, "retries_total", step="register", why="not_sent") == 1
    assert value(observer, "retries_total", step="register", why="throttled") == 1
    assert value(observer, "retries_total", step="register", why="other") == 1


PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)


@pytest.mark.parametrize("accept", [PROMETHEUS_2, PROMETHEUS_3])
def test_the_scraper_chooses_the_format(accept: str):
    observer = PrometheusObserver()
    body, content_type = observer.expose(accept)
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    body, content_type = observer.expose("text/plain")
    assert content_type.startswith("text/plain")
    assert b"# EOF" not in body
