"""Five hundred dead letters of eight causes, put in order from the command line while things are killed."""

import asyncio
import io
import json
import os
import re
import signal
import sys
import uuid
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path

from aiokafka import TopicPartition

from schemas.commands import COMMAND_ID, COMMAND_RUN, REPLAY_OF
from tests.brokers.waiting import until
from tests.integration.doubts import IMPATIENT, WAITS
from tests.integration.events import Draft, event
from tests.integration.harness import Scene
from tests.integration.statements import statement
from worker.cli import main
from worker.demo.launch import python_path
from worker.demo.simulator_faults import Fault
from worker.model import Coordinates

PATIENCE = 120.0
UNPAID = 20_000
"""The creditor that Kravia forbids at first."""
OPTIONS = ("--who", "kari", "--why", "found out and mended")


class Desk:
    """`worker dead-letters …`; `start`: in a process of its own."""

    def __init__(self, scene: Scene, directory: Path) -> None:
        self._env_file = directory / "operator.env"
        settings = scene.settings("operator")
        self._env_file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        names = {"PATH", "HOME", "LANG"}
        self._environ = {name: os.environ[name] for name in names if name in os.environ} | python_path(os.environ)

    async def start(self, verb: str, *words: str) -> asyncio.subprocess.Process:
        arguments = ["-m", "worker", "dead-letters", verb, "--env-file", str(self._env_file), *words]
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            sys.executable, *arguments, env=self._environ, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
        )

    async def say(self, verb: str, *words: str, status: int = 0) -> list[dict]:
        """Its JSON lines. In this process: most of a command's time is its start."""
        out, err = io.StringIO(), io.StringIO()
        words = ("dead-letters", verb, "--env-file", str(self._env_file), *words, "--json")
        with redirect_stdout(out), redirect_stderr(err):
            ended = await asyncio.to_thread(main, words)
        assert ended == status, f"{words}: {ended}\n{out.getvalue()}\n{err.getvalue()}"
        return [json.loads(line) for line in out.getvalue().splitlines()]

    async def decide(self, verb: str, *words: str, status: int = 0) -> dict:
        """A run's summary, or the last thing that was told."""
        return (await self.say(verb, *words, *OPTIONS, "--yes", status=status))[-1]


def drafts(name: str, count: int, **changes) -> list[Draft]:
    return [event(f"{name}-{number}", **changes) for number in range(count)]


def elsewhere(draft: Draft, partitions: int) -> Draft:
    return replace(draft, partition=(draft.partition_of(partitions) + 1) % partitions)


async def records_of(scene: Scene, run: str) -> list[tuple[str, str, str]]:
    return [one for one in await replay_records(scene) if one[0] == run]


async def replay_records(scene: Scene) -> list[tuple[str, str, str]]:
    """Run, origin and command id of every record on the replay topic."""
    found = []
    consumer = await scene.clients.consumer(fetch_max_wait_ms=50)
    for number in range(scene.partitions):
        tp = TopicPartition(scene.topics.replays, number)
        consumer.assign([tp])
        end = (await consumer.end_offsets([tp]))[tp]
        consumer.seek(tp, 0)
        while await consumer.position(tp) < end:
            for records in (await consumer.getmany(tp, timeout_ms=50)).values():
                for record in records:
                    headers = {key: value.decode() for key, value in record.headers}
                    name = headers.get(COMMAND_ID) or headers["ce_id"]
                    found.append((headers[COMMAND_RUN], headers[REPLAY_OF], name))
    await consumer.stop()
    return found


async def test_dead_letters_of_every_cause_are_put_in_order(scene: Scene, tmp_path: Path):
    desk = Desk(scene, tmp_path)
    worker = scene.worker(static=True, **(WAITS | IMPATIENT | {"WORKER_RETRY_ELAPSED": "2"}))
    await worker.run()
    await scene.settled(await scene.send(event("warm")))

    # What will die, and of what.
    refused, forbidden = drafts("refused", 220), drafts("forbidden", 30, creditor=UNPAID)
    lost, never = drafts("lost", 2), drafts("never", 2)
    invalid, known = drafts("invalid", 100, originalAmount="much"), drafts("known", 30)
    broken = [replace(draft, value=b"{") for draft in drafts("broken", 50)]
    astray = [elsewhere(draft, scene.partitions) for draft in drafts("astray", 64)]
    conflicting = [event(f"known-{number}", originalAmount=7) for number in range(30)]
    blocked = [*never]
    scene.kravia.settings.row_fields = ()
    scene.kravia.faults(
        *(Fault(kind="status", step="register", status=422, identity=one.identity) for one in refused),
        *(Fault(kind="status", step="register", status=403, identity=one.identity) for one in forbidden),
        *(Fault(kind="lost", step="register", identity=one.identity, times=1) for one in lost),
        *(Fault(kind="reset", step="register", identity=one.identity, times=1) for one in never),
        Fault(kind="status", step="details", status=500),
    )
    await scene.settled(await scene.send(*known))
    dead = [*refused, *forbidden, *lost, *never, *invalid, *broken, *astray, *conflicting]
    sent = await scene.send(*dead)
    sent += await scene.send(*blocked)
    assert len(sent) == 500
    await scene.settled(sent, PATIENCE)
    letters = await desk.say("list")
    assert Counter(one["reason"] for one in letters) == {
        "refused": 220,
        "forbidden": 30,
        "in_doubt": 4,
        "blocked": 2,
        "validation": 100,
        "undecodable": 50,
        "misrouted": 64,
        "conflict": 30,
    }

    # Kravia is well again.
    scene.kravia.faults()
    scene.kravia.settings.row_fields = ("creditorId", "claimType", "invoiceNo")

    # A dry run writes nothing, and leaves out what waits for a person.
    tried = await desk.say("replay", *OPTIONS, "--dry-run", status=1)
    assert await replay_records(scene) == []
    predictions = Counter(re.sub("misrouted → goes to partition .", "misrouted", one["prediction"]) for one in tried)
    assert predictions == {
        "will register": 250,
        "misrouted, will register": 64,
        "blocked: in doubt": 6,
        "invalid: codes wrong_type": 100,
        "invalid: codes not_json": 50,
        "conflict: fields originalAmount": 30,
    }

    origins = {one["identity"]: one["origin"] for one in letters if one["reason"] == "validation"}
    for draft in invalid[:2]:
        words = (origins[draft.identity], "--set", "/invoice/originalAmount=2500.10", "--wait")
        assert (await desk.decide("edit", *words))["result"] == "scheduled"
    for draft in lost:
        invoice = scene.invoice(draft.identity)
        told = await desk.decide("resolve", draft.identity, "--registered", str(invoice.id), "--replay")
        assert told["result"] == "scheduled"
    for draft in never:
        told = await desk.decide("resolve", draft.identity, "--not-registered", "--replay")
        assert told["result"] == "scheduled"

    for reason, count in (("validation", 98), ("undecodable", 50), ("conflict", 30)):
        told = await desk.decide("discard", "--reason", reason, "--wait")
        assert (told["sent"], told["results"]) == (count, {"discarded": count})
    # The worker leaves a creditor alone for a while after a 403: a new process tries it at once.
    assert await worker.stop() == 0
    await worker.run()
    told = await desk.decide("replay", "--reason", "forbidden", "--canary", "--wait")
    assert (told["sent"], told["results"]) == (30, {"scheduled": 30})

    # The rest, killed half-way; and the worker with it.
    process = await desk.start("replay", *OPTIONS, "--yes", "--rate", "5", "--run", "half")

    seen = await until(lambda: records_of(scene, "half"), lambda found: len(found) >= 20, PATIENCE)
    process.kill()
    worker.kill()
    await process.communicate()
    assert len(seen) < 286, "at this rate it takes a minute: it was killed half-way"
    await worker.run(WORKER_WITNESS_TIMEOUT="60")
    told = await desk.decide("replay", "--resume", "half")
    assert told["sentBefore"] + told["sent"] == 286
    assert told["sentBefore"] >= 20

    witnesses: list[Coordinates] = []

    async def still_open() -> list[dict]:
        # Calls that were on their way when the worker was killed are looked for among others' invoices.
        witnesses.extend(await scene.send(event(f"witness-{uuid.uuid4().hex}")))
        return await desk.say("list")

    assert await until(still_open, lambda left: not left, PATIENCE) == []
    await scene.settled(witnesses, PATIENCE)

    # No record was sent twice, no invoice registered twice, and each decision is told.
    records = await replay_records(scene)
    assert len({name for _, _, name in records}) == len(records)
    half = [origin for run, origin, _ in records if run == "half"]
    assert len(half) == len(set(half)) == 286
    assert scene.kravia.ledger.registered_twice == []
    scheduled = [*refused, *forbidden, *lost, *never, *astray, *known, *invalid[:2]]
    assert {draft.identity for draft in scheduled} <= scene.kravia.ledger.by_identity.keys()
    assert all(scene.invoice(draft.identity).started == 1 for draft in scheduled)
    assert not {draft.identity for draft in invalid[2:]} & scene.kravia.ledger.by_identity.keys()
    audit = await desk.say("audit")
    assert {one["command"] for one in audit} == {name for _, _, name in records}
    assert {one["who"] for one in audit} == {"kari"}
    told = await statement(scene, tmp_path)
    assert (told.status, told.unexplained) == (0, set()), told.lines[-20:]


async def test_ctrl_c_says_how_to_go_on_and_nothing_is_sent_twice(scene: Scene, tmp_path: Path):
    desk = Desk(scene, tmp_path)
    worker = scene.worker()
    await worker.run()
    refused = drafts("refused", 60)
    scene.kravia.faults(*(Fault(kind="status", step="register", status=422, identity=one.identity) for one in refused))
    await scene.settled(await scene.send(*refused))
    scene.kravia.faults()
    process = await desk.start("replay", *OPTIONS, "--yes", "--rate", "0.5", "--run", "by-hand")
    # Two minutes at this rate: it is at work when the signal comes, however late.
    await until(lambda: records_of(scene, "by-hand"), lambda found: len(found) >= 2, PATIENCE)
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert process.returncode == 130
    assert "--resume by-hand" in err.decode().splitlines()[-1]
    told = await desk.decide("replay", "--resume", "by-hand", "--wait")
    assert told["sentBefore"] + told["sent"] == 60
    assert told["results"] == {"scheduled": told["sent"]}
    assert len(await records_of(scene, "by-hand")) == 60
    assert scene.kravia.ledger.registered_twice == []


async def test_nobody_is_asked_where_nobody_can_be(scene: Scene, tmp_path: Path):
    desk = Desk(scene, tmp_path)
    await scene.worker().run()
    [refused] = drafts("refused", 1)
    scene.kravia.faults(Fault(kind="status", step="register", status=422, identity=refused.identity))
    sent = await scene.send(refused)
    await scene.settled(sent)
    process = await desk.start("replay", *OPTIONS)
    _, err = await process.communicate()
    assert process.returncode == 2
    assert "--yes" in err.decode()
    told = await desk.say("resolve", refused.identity, "--not-registered", *OPTIONS, "--yes", status=1)
    assert told == []
    told = await desk.say("edit", str(sent[0]), "--set", "/invoice/invoiceNo=5", *OPTIONS, "--yes", status=1)
    assert {problem["code"] for problem in told[-1]["problems"]} == {"wrong_type"}
    told = await desk.say("edit", str(sent[0]), "--set", '/invoice/invoiceNo="5"', *OPTIONS, "--yes", status=1)
    assert {problem["code"] for problem in told[-1]["problems"]} == {"identity_locked"}
    assert await replay_records(scene) == []
