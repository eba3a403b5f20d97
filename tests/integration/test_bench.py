"""The benchmark runs from end to end: tiny, on the embedded broker, so its numbers say nothing."""

import json

import pytest

from tests.bench.__main__ import main
from tests.bench.delays import Delay
from tests.bench.rounds import Pairs, Round


def test_it_measures_both_sides_and_writes_every_number_down(tmp_path, capsys):
    out = tmp_path / "bench.json"
    words = "--broker embedded --latencies 0 1 --rounds 2 --seconds 0.02 --concurrency 4 --partitions 2"

    status = main([*words.split(), "--rate", "50", "--delay-seconds", "0.2", "--json", str(out)])

    printed = capsys.readouterr()
    assert status == 0, printed.err
    measured = json.loads(out.read_text())
    assert [one["latency_seconds"] for one in measured["throughput"]] == [0, 0.001]
    for one in measured["throughput"]:
        assert len(one["limit"]) == len(one["worker"]) == 2
        assert all(round_["events_per_second"] > 0 for round_ in (*one["limit"], *one["worker"]))
        assert one["rate_ratio"]["least"] <= one["rate_ratio"]["median"] <= one["rate_ratio"]["most"]
    delays = measured["delays_ms"]
    assert delays["events"] == 10
    assert 0 < delays["to_register"]["p50"] <= delays["to_outcome"]["p99"]
    assert "| 0 ms |" in printed.out
    assert "noida-db" in printed.out, "a table says which broker it was measured on"


def test_a_ratio_is_taken_pair_by_pair():
    limit = [Round(100, 1.0, 0.1), Round(100, 2.0, 0.1), Round(100, 4.0, 0.1)]
    worker = [Round(100, 2.0, 0.2), Round(100, 2.5, 0.4), Round(100, 16.0, 0.1)]
    pairs = Pairs(0.0, limit, worker)
    assert (pairs.rate_ratio.median, pairs.rate_ratio.least, pairs.rate_ratio.most) == (0.5, 0.25, 0.8)
    assert (pairs.cpu_ratio.median, pairs.cpu_ratio.least, pairs.cpu_ratio.most) == (0.5, 0.25, 1.0)


def test_percentiles_are_values_that_were_measured():
    delay = Delay.of([number / 1000 for number in range(200, 0, -1)])
    assert (delay.p50, delay.p99, delay.most) == pytest.approx((100, 198, 200))


def test_what_can_not_be_started_is_said_in_words(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert main(["--latencies"]) == 1
    assert "Apache Kafka needs Java 17" in capsys.readouterr().err
