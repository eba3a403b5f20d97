"""`worker demo` as a user runs it: a process of its own, with everything real but Kravia."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from schemas.outcomes import outcome_id
from worker.demo.broker import EmbeddedBroker
from worker.demo.results import Results
from worker.demo.scoreboard import Scoreboard, Verdict
from worker.kafka.security import Connection
from worker.kafka.topics import Creation, create_topics
from worker.model import Coordinates, TopicNames

ROOT = Path(__file__).parents[2]
VERDICT = re.compile(
    r"^verdict: sent=(?P<sent>\d+) scheduled=(?P<scheduled>\d+) rejected=(?P<rejected>\d+) failed=(?P<failed>\d+) "
    r"(?:\w+=\d+ )*registered_twice=(?P<twice>\d+) lost=(?P<lost>\d+)$"
)


@contextmanager
def demo(directory: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {"TMPDIR": str(directory), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-m", "worker", "demo", "--plain", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        cwd=directory,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def children(directory: Path) -> list[str]:
    """Command lines of processes that were started with something below this directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                environment = (entry / "environ").read_bytes().decode(errors="replace")
            except OSError:  # it ended while we looked, or is not ours
                continue
            if f"TMPDIR={directory}" in environment:
                found.append(line)
    return found


def read_until(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return
    pytest.fail(f"the demo ended without saying {text!r}")


async def test_an_aborted_transaction_hides_nothing_that_was_committed_later(tmp_path: Path):
    """What a killed worker leaves: the embedded broker would hide its later outcomes from a reader that goes on."""
    topics, board = TopicNames(), Scoreboard(outcome_id)
    async with EmbeddedBroker(tmp_path / "broker") as broker:
        made = await create_topics(Connection(broker.bootstrap, "test", 30.0, {}), topics, partitions=1, replication=1)
        assert isinstance(made, Creation)
        producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, transactional_id="test")
        await producer.start()
        async with Results(broker.bootstrap, topics, 1, board) as results:

            async def publish(offset: int, outcome: str) -> None:
                headers = [
                    ("ce_id", str(outcome_id(topics.requests, 0, offset)).encode()),
                    ("ce_type", f"kravia.invoice.{outcome}.v1".encode()),
                ]
                await producer.send_and_wait(topics.outcomes, b"{}", partition=0, headers=headers)

            await results.look()
            await producer.begin_transaction()
            await publish(0, "failed")
            await results.look()
            await producer.abort_transaction()
            for offset in range(3):
                board.sent(Coordinates(topics.requests, 0, offset))
                async with producer.transaction():
                    await publish(offset, "scheduled")
                await results.look()
        await producer.stop()
    assert board.verdict({}) == Verdict(3, {"scheduled": 3}, 0, 0)


def test_it_ends_by_itself_with_a_good_verdict(tmp_path: Path):
    with demo(tmp_path, "--events", "150", "--rate", "0", "--timeout", "120") as process:
        output, _ = process.communicate(timeout=240)
    lines = output.splitlines()
    assert process.returncode == 0, output
    verdict = VERDICT.match(lines[-1])
    assert verdict, lines[-1]
    counts = {name: int(value) for name, value in verdict.groupdict().items()}
    assert (counts["sent"], counts["twice"], counts["lost"]) == (150, 0, 0)
    assert counts["scheduled"] > 75
    assert counts["rejected"] > 0
    assert any("worker killed with kill -9" in line for line in lines)
    assert "\x1b" not in output
    assert list(tmp_path.iterdir()) == []
    assert children(tmp_path) == []


def test_a_time_out_is_status_1_and_the_verdict_says_what_is_lost(tmp_path: Path):
    with demo(tmp_path, "--events", "500", "--rate", "20", "--timeout", "3", "--no-kill-worker") as process:
        output, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "within 3 s (--timeout)" in output
    assert VERDICT.match(output.splitlines()[-1])
    assert children(tmp_path) == []


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_ends_all_of_it(tmp_path: Path, number: signal.Signals, status: int):
    with demo(tmp_path, "--events", "2000", "--rate", "20") as process:
        read_until(process, "worker is ready")
        assert children(tmp_path)
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == status, output
    assert "Traceback" not in output
    assert list(tmp_path.iterdir()) == []
    deadline = time.monotonic() + 60
    while children(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert children(tmp_path) == []
