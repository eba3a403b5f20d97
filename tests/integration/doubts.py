"""What tests of doubts need: waits of seconds, others' events as witnesses, an operator's commands and replays."""

import uuid
from collections.abc import Iterable, Mapping

from schemas.commands import COMMAND_TYPE
from schemas.jsontext import dumps
from tests.integration.events import Draft, event, headers
from tests.integration.harness import Scene
from worker.model import Coordinates

WAITS: Mapping[str, str] = {
    "WORKER_INTENT_VALIDITY": "5",
    "KRAVIA_REGISTER_TIMEOUT": "4",
    "KRAVIA_LATE_PROCESSING": "1",
    "KRAVIA_SEARCH_DELAY": "0.5",
    "KRAVIA_SEARCH_DISORDER": "0.5",
    "WORKER_CLOCK_ERROR": "0.1",
    "WORKER_SWEEP_INTERVAL": "0.2",
    "WORKER_WITNESS_TIMEOUT": "120",
}
"""The waits of a doubt, minutes by default, as seconds: what the simulated Kravia does is known.

Validity and time-out are what a stalled process may take: what it runs into makes a doubt that no test meant.
"""
IMPATIENT = {"WORKER_WITNESS_TIMEOUT": "2"}
"""For doubts that nobody will ever resolve."""
PATIENCE = 120.0
"""Seconds until a doubt must be over."""


async def settled_among_others(scene: Scene, sent: Iterable[Coordinates], name: str = "witness") -> list[Coordinates]:
    """Go on billing others, one after another, until all of these are settled. Returns where the others stand."""
    wanted, others = set(sent), list[Coordinates]()
    while wanted - (await scene.read_outcomes()).keys():
        others += await scene.send(event(f"{name}-{len(others)}"))
        await scene.settled(others[-1:], PATIENCE)
        assert len(others) < 2000, "the doubts are never resolved"
    return others


def command(identity: str, doubt: int, *, invoice_id: str | None = None, name: str | None = None) -> Draft:
    """A person's verdict: registered under this id, or not registered where there is none."""
    data: dict[str, object] = {
        "version": 1,
        "verb": "not_registered" if invoice_id is None else "registered",
        "identity": identity,
        "doubt": doubt,
        "who": "kari",
        "when": "2026-01-02T03:04:05Z",
        "why": "looked it up in the portal",
    }
    if invoice_id is not None:
        data["invoiceId"] = invoice_id
    event_headers = headers(name or f"command-{uuid.uuid4().hex}", type=COMMAND_TYPE)
    return Draft(identity, identity.encode(), dumps(data), event_headers)


def replay(draft: Draft, origin: Coordinates) -> Draft:
    """An event sent again, for the replays topic."""
    return Draft(draft.identity, draft.key, draft.value, (*draft.headers, ("replay-of", str(origin).encode())))


async def say(scene: Scene, draft: Draft) -> Coordinates:
    """Write a command or a replay to its topic and wait for its outcome."""
    [sent] = await scene.send(draft, topic=scene.topics.replays)
    await scene.settled([sent], PATIENCE)
    return sent
