"""The machinery around test brokers and the demo's: processes that never outlive us, and errors that say what to do."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.brokers import choose, jars
from tests.brokers.apache import ApacheKafka
from tests.brokers.base import KAFKA_VERSION
from tests.brokers.properties import common_properties
from tests.brokers.waiting import equals, until
from worker.demo import process
from worker.demo.broker import EmbeddedBroker, wait_until_it_answers
from worker.demo.process import Server, ServerError, free_port

SLEEPER = [sys.executable, "-c", "import time; time.sleep(3600)"]


def alive(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_free_port_can_be_bound_and_is_not_one_that_outgoing_connections_take() -> None:
    port = free_port()
    assert 20_000 <= port < 32_000
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))


def test_no_port_is_chosen_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also before anybody listens there, and in whichever process."""
    code = "from worker.demo import process; process._PORTS = [{}] * 200; process.free_port()"
    port = free_port()
    monkeypatch.setattr(process, "_PORTS", [port] * 200)
    with pytest.raises(ServerError, match="no free TCP port"):
        free_port()
    other = subprocess.run([sys.executable, "-c", code.format(port)], capture_output=True, text=True, check=False)
    assert "no free TCP port" in other.stderr


def test_without_a_free_port_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(process, "_PORTS", [taken.getsockname()[1]] * 200)
        with pytest.raises(ServerError, match="no free TCP port"):
            free_port()


async def test_a_server_is_stopped_and_started_again(tmp_path: Path) -> None:
    server = Server("sleeper", SLEEPER, tmp_path / "log")
    server.start()
    first = server.pid
    with pytest.raises(ServerError, match="already running"):
        server.start()
    await server.stop()
    assert not server.running
    assert not alive(first)
    server.start()
    assert server.pid != first
    server.kill()
    assert not server.running
    with pytest.raises(ServerError, match="not running"):
        _ = server.pid


async def test_a_server_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(3600)"
    server = Server("stubborn", [sys.executable, "-c", stubborn], tmp_path / "log")
    server.start()

    async def tail() -> str:
        return server.tail()

    await equals(tail, "ready")
    await server.stop(timeout=0.1)
    assert not server.running


def test_ctrl_c_in_the_terminal_does_not_reach_a_server(tmp_path: Path) -> None:
    server = Server("sleeper", SLEEPER, tmp_path / "log")
    server.start()
    try:
        assert os.getpgid(server.pid) == server.pid != os.getpgrp()
    finally:
        server.kill()


def test_a_server_that_cannot_be_started_says_so(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="nothing could not be started"):
        Server("nothing", [str(tmp_path / "no-such-program")], tmp_path / "log").start()


async def test_a_server_that_ends_instead_of_answering_is_quoted(tmp_path: Path) -> None:
    server = Server("failing", [sys.executable, "-c", "print('port taken'); raise SystemExit(3)"], tmp_path / "log")
    server.start()
    with pytest.raises(ServerError, match=r"(?s)failing ended with status 3.*port taken"):
        await wait_until_it_answers(f"127.0.0.1:{free_port()}", server)


async def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    server = Server("silent", SLEEPER, tmp_path / "log")
    server.start()
    try:
        with pytest.raises(ServerError, match="silent did not answer"):
            await wait_until_it_answers(f"127.0.0.1:{free_port()}", server, 0.2)
    finally:
        server.kill()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PR_SET_PDEATHSIG is Linux's")
async def test_a_server_ends_with_its_parent_however_that_ends(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from worker.demo.process import Server\n"
        "server = Server('child', [sys.executable, '-c', 'import time; time.sleep(3600)'], Path(sys.argv[1]))\n"
        "server.start()\n"
        "print(server.pid, flush=True)\n"
        "time.sleep(3600)\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(tmp_path / "log"), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    assert alive(child)
    parent.send_signal(signal.SIGKILL)
    await parent.wait()

    async def child_alive() -> bool:
        return alive(child)

    await equals(child_alive, False)


async def test_the_embedded_broker_on_a_taken_port_says_so_and_leaves_no_process(tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path / "first") as first:
        second = EmbeddedBroker(tmp_path / "second", port=first.port)
        with pytest.raises(ServerError, match="something else does"):
            await second.start()
        with pytest.raises(ServerError, match="not running"):
            _ = second.pid


async def test_waiting_in_vain_shows_what_was_seen_last() -> None:
    async def look() -> str:
        return "still this"

    with pytest.raises(AssertionError, match="still this"):
        await until(look, lambda _: False, timeout=0.05)


def test_without_maven_and_jars_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerError, match=r"apt-get install maven.*--broker=embedded"):
        jars.kafka_jars()


def test_without_java_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerError, match="openjdk-17"):
        jars.java()
    assert choose.chosen("auto") == "embedded"


def test_an_old_java_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "bin" / "java"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho '    java.specification.version = 11' >&2\n")
    fake.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(ServerError, match=r"needs Java 17 or later; .* says 11"):
        jars.java()


def test_jars_that_are_cached_need_no_maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    cached = jars.cache_dir() / f"kafka-{KAFKA_VERSION}"
    cached.mkdir(parents=True)
    assert jars.kafka_jars() == cached


def test_one_node_keeps_one_copy_and_three_keep_three() -> None:
    for nodes, copies, in_sync in ((1, "1", "1"), (3, "3", "2")):
        properties = common_properties(nodes)
        assert properties["transaction.state.log.replication.factor"] == copies
        assert properties["offsets.topic.replication.factor"] == copies
        assert properties["min.insync.replicas"] == in_sync


def test_a_cluster_lists_every_node_and_a_property_can_be_overridden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.brokers.apache.java", lambda: "java")
    monkeypatch.setattr("tests.brokers.apache.kafka_jars", lambda: tmp_path)
    cluster = ApacheKafka(tmp_path, nodes=3, properties={"num.io.threads": "1"})
    assert len(set(cluster.bootstrap.split(","))) == 3
    written = [cluster._server_properties(number) for number in (1, 2, 3)]
    assert [properties["node.id"] for properties in written] == ["1", "2", "3"]
    assert len({properties["controller.quorum.voters"] for properties in written}) == 1
    assert {properties["num.io.threads"] for properties in written} == {"1"}
