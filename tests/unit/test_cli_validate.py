"""`worker validate`: what it prints where, its exit statuses, and its memory."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from schemas.jsontext import dumps
from tests.integration.events import data
from worker.cli import main


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty directory without .env, and no settings of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("KAFKA_", "KRAVIA_", "TOPIC_", "WORKER_", "RULE_")):
            monkeypatch.delenv(name)


def lines(*rows: dict[str, Any]) -> str:
    return "".join(dumps(row).decode() + "\n" for row in rows)


def test_good_events_are_status_0_and_need_no_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "good.jsonl").write_text(lines(data(1), data(2)))
    (tmp_path / "good.json").write_text(json.dumps(data(3), indent=1))
    assert main(["validate", "good.jsonl", "good.json", "--partitions", "12"]) == 0
    told = capsys.readouterr()
    assert told.out == "3 events: 3 valid, 0 invalid; 0 errors, 0 warnings\n"
    assert told.err == ""


def test_each_problem_is_a_line_and_the_status_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "bad.jsonl").write_text(lines(data(1), data(2, dueDate="1.5.2026", kid="1")) + "nonsense\n")
    assert main(["validate", "bad.jsonl"]) == 1
    *problems, summary = capsys.readouterr().out.splitlines()
    assert summary == "3 events: 1 valid, 2 invalid; 3 errors, 0 warnings"
    assert len(problems) == 3
    assert any(
        line.startswith("bad.jsonl:2: error: bad_date at /invoice/dueDate [10759/Invoice/2]: ") for line in problems
    )
    assert problems[-1].startswith("bad.jsonl:3: error: not_json: ")


def test_librdkafkas_default_is_told_what_to_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "one.json").write_bytes(dumps(data(20001)))
    assert main(["validate", "one.json", "--partitions", "12", "--partitioner", "librdkafka"]) == 1
    assert "partitioner=murmur2_random" in capsys.readouterr().out
    assert main(["validate", "one.json", "--partitions", "12"]) == 0


def test_warnings_fail_only_when_that_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "twice.jsonl").write_text(lines(data(1), data(1, originalAmount=7)))
    assert main(["validate", "twice.jsonl"]) == 0
    assert main(["validate", "twice.jsonl", "--strict"]) == 1
    assert "twice.jsonl:2: warning: repeated_identity [10759/Invoice/1]: " in capsys.readouterr().out


def test_for_programs_every_event_is_an_object(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    text = io.BytesIO(lines(data(1), data(2, currencyCode="nok")).encode())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(text))
    assert main(["validate", "-", "--json", "--partitions", "4"]) == 1
    first, second, summary = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (first["kind"], first["file"], first["line"], first["valid"]) == ("item", "(stdin)", 1, True)
    assert (first["identity"], first["would"], first["findings"]) == ("10759/Invoice/1", "process", [])
    assert second["would"] == "reject: validation"
    [finding] = second["findings"]
    assert (finding["severity"], finding["pointer"]) == ("error", "/invoice/currencyCode")
    assert (finding["code"], finding["message"][:4]) == ("bad_currency", "This")
    assert summary == {"kind": "summary", "events": 2, "valid": 1, "invalid": 1, "errors": 1, "warnings": 0}


def test_a_file_that_cannot_be_read_is_status_2_and_the_others_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "good.json").write_bytes(dumps(data(1)))
    assert main(["validate", "missing.json", "good.json", "."]) == 2
    told = capsys.readouterr()
    assert "missing.json: can't be read: " in told.err
    assert ".: can't be read: " in told.err
    assert told.out.startswith("1 events: 1 valid")


def test_refused_settings_and_wrong_usage_are_status_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "good.json").write_bytes(dumps(data(1)))
    for words in (["validate"], ["validate", "good.json", "--partitions", "0"], ["validate", "x", "--format", "xml"]):
        with pytest.raises(SystemExit) as stopped:
            main(words)
        assert stopped.value.code == 2
    monkeypatch.setenv("WORKER_GRACE", "1")
    assert main(["validate", "good.json"]) == 2


def test_a_name_in_an_event_does_not_reach_the_terminal_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "odd.jsonl").write_text(lines({"\x1b[2J": 1} | data(1)))
    assert main(["validate", "odd.jsonl"]) == 1
    assert "\x1b" not in capsys.readouterr().out


MEASURED = """
import re, sys
from pathlib import Path
from worker.cli import main
status = main(sys.argv[1:])
# Not ru_maxrss: it begins with the memory of the process that started this one.
print("KIB", *re.findall(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text()), file=sys.stderr)
sys.exit(status)
"""


def validate_many(path: Path, count: int) -> tuple[str, str, int]:
    """Validate so many events, every thousandth of them wrong: what it printed, and its memory in KiB."""
    good = dumps(data("NUMBER")).decode()
    with path.open("w") as file:
        for number in range(count):
            wrong = number % 1000 == 999
            file.write(good.replace("NUMBER", str(number)).replace("2026-05-01", "soon" if wrong else "2026-05-01"))
            file.write("\n")
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", MEASURED, "validate", str(path), "--partitions", "12"],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    progress, _, kibibytes = ended.stderr.rpartition("KIB ")
    return ended.stdout, progress, int(kibibytes)


def test_a_hundred_thousand_events_in_bounded_memory(tmp_path: Path):
    few_out, few_progress, few_memory = validate_many(tmp_path / "few.jsonl", 1_000)
    out, progress, memory = validate_many(tmp_path / "many.jsonl", 100_000)
    assert few_out.splitlines()[-1] == "1000 events: 999 valid, 1 invalid; 1 errors, 0 warnings"
    assert few_progress == ""
    *problems, summary = out.splitlines()
    assert summary == "100000 events: 99900 valid, 100 invalid; 100 errors, 0 warnings"
    assert [line.split(":")[1] for line in problems] == [str(line) for line in range(1_000, 100_001, 1_000)]
    assert progress.splitlines() == [f"{count} events read" for count in range(10_000, 100_001, 10_000)]
    # The file has 24 MB. What grows is what is remembered of the latest 20,000 invoices.
    assert (tmp_path / "many.jsonl").stat().st_size > 24_000_000
    assert memory - few_memory < 16 * 1024
