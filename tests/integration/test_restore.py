"""docs/how-to/back-up.md and restore.md, as they print it: the cluster is lost, and no invoice is billed twice."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from tests.brokers import choose
from tests.brokers import topics as topic_sets
from tests.brokers.clients import Clients
from tests.integration.events import event
from tests.integration.examples import FOLDER, ROOT
from tests.integration.harness import Scene
from tests.integration.results import Results
from tests.integration.test_observe import observed
from tests.integration.test_why import worker_command
from tests.integration.worker_process import WorkerProcess

pytestmark = pytest.mark.kcat
PREFIX = "watch."
BACKUP = FOLDER / "backup"


@pytest_asyncio.fixture
async def second(scene: Scene, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Scene]:
    """Another, empty cluster with topics of the same names; the same Kravia."""
    choice = choose.chosen(request.config.getoption("--broker"))
    async with choose.running(choice, tmp_path / "second-broker") as broker, AsyncExitStack() as stack:
        await topic_sets.create(broker.bootstrap, scene.topics, partitions=scene.partitions)
        clients = Clients(broker.bootstrap, stack)
        made = Scene(broker, clients, scene.topics, scene.group, scene.kravia, tmp_path / "second")
        try:
            yield made
        finally:
            await made.close()


async def run(scene: Scene, *command: str | Path) -> tuple[str, str]:
    """What a command of the pages printed, in an environment with the worker's settings."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": path, "PYTHONPATH": str(ROOT)} | scene.settings("operator"),
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode(), err.decode()


async def export(scene: Scene, file: Path) -> None:
    await run(scene, BACKUP / "export-ledger.sh", file, scene.broker.bootstrap, scene.topics.ledger)


async def observe_all(scene: Scene, directory: Path, sent: list) -> None:
    """Observe mode until it has seen these."""
    status, _, err = await worker_command(scene, "topics", "create", "--observe", WORKER_OBSERVE_PREFIX=PREFIX)
    assert status == 0, err
    settings = scene.settings("observer") | {"WORKER_OBSERVE_PREFIX": PREFIX, "KAFKA_GROUP_INSTANCE_ID": "observer"}
    observer = WorkerProcess("observer", directory, settings, "--observe")
    scene.workers.append(observer)
    await observer.run()
    live, scene.results = scene.results, Results(scene.clients, observed(scene.topics), scene.partitions)
    await scene.settled(sent)
    scene.results = live
    await observer.stop()


async def test_a_lost_cluster_comes_back_from_its_ledger_and_from_kravia(scene: Scene, second: Scene, tmp_path: Path):
    since = datetime.now(UTC) - timedelta(minutes=1)
    worker = scene.worker()
    await worker.run()
    saved = [event(f"saved-{number}") for number in range(3)]
    await scene.settled(await scene.send(*saved))
    backup = tmp_path / "ledger.tsv"
    await export(scene, backup)
    gap = [event(f"gap-{number}") for number in range(3)]
    await scene.settled(await scene.send(*gap))
    await scene.stop()

    bootstrap, ledger = second.broker.bootstrap, scene.topics.ledger
    await run(second, BACKUP / "import-ledger.sh", backup, bootstrap, ledger)
    # Other offsets than before: the first that come here stood elsewhere in the old log.
    new = [event(f"new-{number}") for number in range(2)]
    sent = await second.send(*new, *gap, *saved)
    await observe_all(second, tmp_path / "observer", sent)
    await run(second, BACKUP / "observed-statement.sh", tmp_path / "seen.json", since.isoformat(), PREFIX)
    await export(second, tmp_path / "now.tsv")
    found, said = await run(second, sys.executable, BACKUP / "gap.py", tmp_path / "now.tsv", tmp_path / "seen.json")
    assert "6 at Kravia, 3 of them unknown to the ledger" in said
    assert {line.split("\t")[0] for line in found.splitlines()} == {draft.identity for draft in gap}
    (tmp_path / "gap.tsv").write_text(found, encoding="utf-8")
    keyed = ("-X", "partitioner=murmur2_random", "-K", "\t", "-l", tmp_path / "gap.tsv")
    await run(second, "kcat", "-P", "-b", bootstrap, "-t", ledger, *keyed)

    await second.worker().run()
    outcomes = await second.close_books(sent)
    endings = [outcomes[origin].ending for origin in sent]
    assert endings == ["scheduled"] * 2 + ["rejected conflict"] * 3 + ["repeated"] * 3
    ids = {draft.identity: str(scene.invoice(draft.identity).id) for draft in (*gap, *saved)}
    assert {outcomes[origin].data["identity"]: outcomes[origin].data["invoiceId"] for origin in sent[2:]} == ids


async def test_an_import_needs_an_empty_ledger(scene: Scene, tmp_path: Path):
    file = tmp_path / "ledger.tsv"
    file.write_text('0\t!header\t{"v":1}\n', encoding="utf-8")
    words = (BACKUP / "import-ledger.sh", file, scene.broker.bootstrap, scene.topics.ledger)
    await run(scene, *words)
    with pytest.raises(AssertionError, match="holds records already"):
        await run(scene, *words)


async def test_what_nobody_can_say_for_sure_is_left_to_a_person(scene: Scene, tmp_path: Path):
    """Two invoices of one identity, and one that Kravia only seems to have; `absent` holds nothing back."""
    ledger = {"1/Invoice/a": "absent", "1/Invoice/b": "scheduled"}
    lines = [f"0\t{key}\t{json.dumps({'v': 1, 'state': state, 'settled': [0, -1]})}\n" for key, state in ledger.items()]
    (tmp_path / "ledger.tsv").write_text("".join(lines), encoding="utf-8")
    shown = [
        ("1/Invoice/a", ["11"], "same"),
        ("1/Invoice/b", ["12"], "same"),
        ("1/Invoice/c", ["13"], "same"),
        ("1/Invoice/c", ["14"], "same"),
        ("1/Invoice/d", ["15"], "likely"),
        ("1/Invoice/e", ["16", "17"], "same"),
        ("1/Invoice/f", [], "same"),
    ]
    told = {
        "notSettledYet": 0,
        "kravia": {"complete": True},
        "unexplained": [
            {"kind": "double_at_kravia", "subject": subject, "why": "…", "invoiceIds": ids, "match": match}
            for subject, ids, match in shown
        ],
    }
    (tmp_path / "seen.json").write_text(json.dumps(told), encoding="utf-8")
    words = (sys.executable, BACKUP / "gap.py", tmp_path / "ledger.tsv", tmp_path / "seen.json")
    found, _ = await run(scene, *words)
    states = {key: json.loads(value) for key, value in (line.split("\t") for line in found.splitlines())}
    assert states["1/Invoice/a"] == {"v": 1, "state": "registered", "settled": [-1, -1], "id": "11"}
    assert {key: entry["state"] for key, entry in states.items()} == {
        "1/Invoice/a": "registered",
        "1/Invoice/c": "in_doubt",
        "1/Invoice/d": "in_doubt",
        "1/Invoice/e": "in_doubt",
        "1/Invoice/f": "in_doubt",
    }
    (tmp_path / "seen.json").write_text(json.dumps(told | {"notSettledYet": 1}), encoding="utf-8")
    with pytest.raises(AssertionError, match="Not whole"):
        await run(scene, *words)
    del told["unexplained"][0]["invoiceIds"]
    (tmp_path / "seen.json").write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(AssertionError, match="It names no ids"):
        await run(scene, *words)
