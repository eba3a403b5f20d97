"""What the pages' commands run against: a broker, the simulated Kravia, a worker, and invoices in every trouble.

All of them are processes of their own, on ports that are free; `samples.py` puts these in place of the printed ones.
"""

import asyncio
import json
import os
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from tests.docs import records
from tests.integration.events import CREDITOR, Draft, data, event
from worker.demo.broker import EmbeddedBroker
from worker.demo.launch import command, python_path
from worker.demo.process import Server, free_port

PARTITIONS = 12
TOKEN = "local"
PATIENCE = 60.0
"""Seconds. Long: how fast a busy machine is says nothing about a page."""
REQUESTS, OUTCOMES, DEAD_LETTERS = "invoice.requests", "invoice.outcomes", "invoice.dead-letters"

Trouble = Literal["rejected", "refused", "forbidden", "conflict", "in_doubt"]
Seen = TypeVar("Seen")

# Short waits, and a journal that is not trimmed while somebody looks at it.
WAITS: Mapping[str, str] = {
    "WORKER_INTENT_VALIDITY": "2",
    # Longer than a busy machine pauses: such a call would be in doubt, and no page tells of that one.
    "KRAVIA_REGISTER_TIMEOUT": "4",
    "KRAVIA_LATE_PROCESSING": "0.3",
    "KRAVIA_SEARCH_DELAY": "0.2",
    "KRAVIA_SEARCH_DISORDER": "0.1",
    "WORKER_CLOCK_ERROR": "0.1",
    "WORKER_SWEEP_INTERVAL": "0.2",
    "WORKER_WITNESS_TIMEOUT": "0.5",
    "WORKER_RETRY_BASE": "0.05",
    "WORKER_RETRY_CAP": "0.3",
    # A creditor's second 403 pauses it for 2 s: more than is left of this, so the event ends; less than a new one has.
    "WORKER_RETRY_ELAPSED": "2.5",
    "WORKER_TRIM_INTERVAL": "3600",
    "WORKER_GATE_PROBE_INTERVAL": "0.1",
}


@dataclass(frozen=True)
class Letter:
    """An event that did not end well."""

    identity: str
    origin: str
    """topic/partition/offset"""
    fingerprint: str


class World:
    """Broker, Kravia and, where asked for, a worker. A context manager; what it starts it ends."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.broker = EmbeddedBroker(directory / "broker")
        self.kravia_port, self.http_port, self.scratch_port = free_port(), free_port(), free_port()
        self._kravia = Server(
            "the simulated Kravia",
            [sys.executable, *("-m", "worker.demo.simulator"), *("--port", str(self.kravia_port), "--token", TOKEN)],
            directory / "kravia.log",
            python_path(os.environ),
        )
        self._worker = Server(
            "the worker",
            command(directory, self.environment() | {**WAITS, "KAFKA_GROUP_INSTANCE_ID": "worker-1"}),
            directory / "worker.log",
            python_path(os.environ),
        )
        self._faults: list[dict[str, Any]] = []
        self._numbers = iter(range(70_000, 80_000))

    @property
    def kravia_url(self) -> str:
        return f"http://127.0.0.1:{self.kravia_port}"

    def environment(self) -> dict[str, str]:
        """The settings that whoever runs a command of ours has."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap,
            "KRAVIA_BASE_URL": self.kravia_url,
            "KRAVIA_TOKEN": TOKEN,
            "WORKER_HTTP_HOST": "127.0.0.1",
            "WORKER_HTTP_PORT": str(self.http_port),
        }

    # Beginning and end

    def start(self) -> None:
        """Start broker and Kravia."""
        asyncio.run(self.broker.start())
        self._kravia.start()
        until(lambda: _get(f"{self.kravia_url}/_sim/state"), bool, "the simulated Kravia answers")

    def start_worker(self) -> None:
        """Start the worker; the topics are there. Returns when it serves all partitions."""
        self._worker.start()
        self.wait_ready(self.http_port, self._worker)

    def wait_ready(self, port: int, worker: Server | None = None) -> None:
        """Wait until the worker on this port is ready."""

        def ready() -> bool:
            assert worker is None or worker.running, worker.tail()
            return self.is_ready(port)

        until(ready, bool, f"the worker on port {port} is ready")

    def is_ready(self, port: int) -> bool:
        """Whether the worker on this port says so."""
        return _get(f"http://127.0.0.1:{port}/readyz") is not None

    def wait_observed(self) -> None:
        """Wait until observe mode has an outcome for each request that there is now."""
        wanted = records.count(self.broker.bootstrap, REQUESTS, PATIENCE)
        with records.reading(self.broker.bootstrap, f"observe.{OUTCOMES}", PATIENCE) as outcomes:
            for _ in range(wanted):
                next(outcomes)

    def stop(self) -> None:
        """At once: nothing needs to end in good order."""
        for server in (self._worker, self._kravia):
            server.kill()
        self.broker.kill()

    # Events and what became of them

    def send(self, *drafts: Draft) -> list[str]:
        """Write events, each of another invoice; where they stand."""
        return records.send(self.broker.bootstrap, REQUESTS, drafts, PATIENCE)

    def settled(self, origins: Iterable[str]) -> None:
        """Wait until each has its outcome."""
        left = set(origins)
        with records.reading(self.broker.bootstrap, OUTCOMES, PATIENCE) as outcomes:
            while left:
                origin = json.loads(next(outcomes).value)["origin"]
                left.discard("{topic}/{partition}/{offset}".format(**origin))

    def in_trouble(self, *troubles: Trouble) -> list[Letter]:
        """New events, each with the trouble that is asked for."""
        return self.letters([(str(next(self._numbers)), trouble) for trouble in troubles])

    def letters(self, wanted: list[tuple[str, Trouble]]) -> list[Letter]:
        """Events of these invoice numbers, each in its trouble; one of each number."""
        earlier = [event(number) for number, trouble in wanted if trouble == "conflict"]
        self.settled(self.send(*earlier))
        drafts = [_draft(number, trouble) for number, trouble in wanted]
        of_trouble = {draft.identity: trouble for draft, (_, trouble) in zip(drafts, wanted, strict=True)}
        self._kravia_misbehaves(of_trouble)
        origins = self.send(*drafts)
        self.settled(origins)
        self._kravia_behaves()
        if "forbidden" in of_trouble.values():  # its creditor is paused until a call goes well
            self.settled(self.send(_good_of_forbidden(str(next(self._numbers)))))
        prints = self._fingerprints(set(origins))
        return [Letter(draft.identity, origin, prints[origin]) for draft, origin in zip(drafts, origins, strict=True)]

    def registered_by_hand(self, number: str) -> str:
        """Kravia gets the invoice by another way; its id."""
        body = data(number)["invoice"]
        answer = _post(f"{self.kravia_url}/api/v2/invoice/register", body, {"Authorization": TOKEN})
        return str(json.loads(answer)["id"])

    def _kravia_misbehaves(self, of_trouble: Mapping[str, Trouble]) -> None:
        faults: dict[Trouble, dict[str, object]] = {
            "in_doubt": {"kind": "reset"},
            "forbidden": {"kind": "status", "status": 403},
            "refused": {"kind": "status", "status": 422},
        }
        rules = [
            {"step": "register", "identity": identity, **faults[trouble]}
            for identity, trouble in of_trouble.items()
            if trouble in faults
        ]
        _post(f"{self.kravia_url}/_sim/faults", rules)
        # Rows that don't say whose they are: nothing is adopted, nothing is witnessed, a person has to decide.
        _post(f"{self.kravia_url}/_sim/settings", {"row_fields": []})

    def _kravia_behaves(self) -> None:
        _post(f"{self.kravia_url}/_sim/faults", [])
        fields = ["creditorId", "claimType", "invoiceNo", "accountingInvoiceId"]
        _post(f"{self.kravia_url}/_sim/settings", {"row_fields": fields})

    def _fingerprints(self, origins: set[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        with records.reading(self.broker.bootstrap, DEAD_LETTERS, PATIENCE) as letters:
            while origins - found.keys():
                headers = next(letters).headers
                at = [headers[f"__dlq.errors.{part}"] for part in ("topic", "partition", "offset")]
                found["/".join(at)] = headers["kravia.dlq.fingerprint"]
        return found


def until(look: Callable[[], Seen], wanted: Callable[[Seen], bool], what: str) -> Seen:
    """Look until what is seen is `wanted`. AssertionError when that takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not wanted(seen := look()):
        assert time.monotonic() < deadline, f"waited for: {what}; the last was {seen!r}"
        time.sleep(0.05)
    return seen


def _draft(number: str, trouble: Trouble) -> Draft:
    match trouble:
        case "rejected":
            return event(number, email=["kari@example.com"])
        case "conflict":
            return event(number, event_id=f"event-{number}-again", originalAmount=2600)
        case "refused":
            return event(number)
        case "forbidden":
            return _good_of_forbidden(number)
        case "in_doubt":
            return event(number, event_id={"30002": "b6a1c0de-0002"}.get(number))


def _good_of_forbidden(number: str) -> Draft:
    return event(number, creditor=CREDITOR + 1)


def _get(url: str) -> bytes | None:
    """What it answers with 200; None otherwise."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own http URL
            content: bytes = answer.read()
            return content
    except OSError:  # it does not listen yet, or says no
        return None


def _post(url: str, value: object, headers: Mapping[str, str] | None = None) -> bytes:
    request = urllib.request.Request(  # noqa: S310 - our own http URL
        url, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
        content: bytes = answer.read()
        return content
