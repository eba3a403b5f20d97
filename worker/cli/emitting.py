"""What `worker emit` does once its arguments are understood: judges, sends, and tells of each event."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from worker.checking.items import Broken, Item
from worker.checking.judge import Judged, Rules, examine
from worker.checking.outgoing import SOURCE, Outgoing, outgoing
from worker.cli.common import FAILED, OK, complain
from worker.cli.reports import as_lines, as_object, plain
from worker.kafka.security import Connection
from worker.kafka.send import Sender
from worker.model import Coordinates
from worker.ports import Lost

_WINDOW = 500
"""Events that are on their way at once."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`rate` in events per second, 0 for as fast as it goes; `force`: send what the worker would refuse, too."""

    topic: str
    partitions: int
    rules: Rules
    rate: float = 0.0
    source: str = SOURCE
    force: bool = False
    dry_run: bool = False
    as_json: bool = False


class Emission:
    """One run. `async with` is not needed: `send_all` opens and closes what it uses."""

    def __init__(self, plan: Plan, connection: Connection) -> None:
        self._plan = plan
        self._connection = connection
        self._window = asyncio.Semaphore(_WINDOW)
        self._failure: Lost | None = None
        self.sent = 0
        self.refused = 0
        self.unsent = 0

    async def send_all(self, items: Iterator[Item | Broken]) -> int:
        """Send every item, in order; the exit status."""
        async with AsyncExitStack() as stack:
            sender = None
            if not self._plan.dry_run:
                sender = await stack.enter_async_context(Sender(self._connection))
                if sender.failure is not None:
                    complain(f"nothing was sent: {sender.failure.detail}; check KAFKA_BOOTSTRAP_SERVERS")
                    return FAILED
            async with asyncio.TaskGroup() as tasks:
                await self._send_each(items, sender, tasks)
        self._sum_up()
        return FAILED if self._failure or self.refused else OK

    async def _send_each(self, items: Iterator[Item | Broken], sender: Sender | None, tasks: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        begin, number = loop.time(), 0
        # Read in a thread: a pipe may give its next event in an hour, and acknowledgements come meanwhile.
        while (item := await asyncio.to_thread(next, items, None)) is not None and self._failure is None:
            made = self._made(item)
            if made is None:
                continue
            if self._plan.rate:
                await asyncio.sleep(begin + number / self._plan.rate - loop.time())
            number += 1
            if sender is None:
                self.sent += 1
                self._tell("would send", f"{made.record.topic}/{made.record.partition}", made)
                continue
            await self._window.acquire()
            tasks.create_task(self._await(await sender.send(made.record), made))

    def _made(self, item: Item | Broken) -> Outgoing | None:
        """The record; None when the event is refused."""
        judged = examine(item, self._plan.rules)
        if isinstance(item, Broken) or not (judged.valid or self._plan.force):
            self._refuse(judged)
            return None
        now = datetime.now(UTC)
        return outgoing(item, judged, self._plan.topic, event_id=str(uuid.uuid4()), now=now, source=self._plan.source)

    def _refuse(self, judged: Judged) -> None:
        self.refused += 1
        if self._plan.as_json:
            self._print({**as_object(judged), "kind": "refused"})
            return
        for line in as_lines(judged):
            complain(f"not sent: {line}")

    async def _await(self, acknowledgement: Awaitable[Coordinates | Lost], made: Outgoing) -> None:
        try:
            match await acknowledgement:
                case Coordinates() as where:
                    self.sent += 1
                    self._tell("sent", str(where), made)
                case Lost() as failure:
                    self.unsent += 1
                    self._failure = self._failure or failure
                    complain(plain(f"not acknowledged: {made.identity or '(no identity)'}: {failure.detail}"))
        finally:
            self._window.release()

    def _tell(self, what: str, where: str, made: Outgoing) -> None:
        if self._plan.as_json:
            told = {"record": where, "identity": made.identity, "eventId": made.event_id}
            self._print({"kind": what.replace(" ", "_"), **told})
            return
        event = f" event={made.event_id}" if made.event_id else ""
        print(plain(f"{what} {where} {made.identity or '(no identity)'}{event}"))

    def _sum_up(self) -> None:
        counts = {
            "would_send" if self._plan.dry_run else "sent": self.sent,
            "refused": self.refused,
            "unacknowledged": self.unsent,
        }
        if self._plan.as_json:
            self._print({"kind": "summary", **counts})
        else:
            print(", ".join(f"{count} {what}" for what, count in counts.items()).replace("_", " "))
        if self._failure is not None:
            complain(
                "stopped: what was not acknowledged may be written all the same. Sending an event again bills nothing "
                "twice: the same invoice ends repeated."
            )

    def _print(self, data: dict[str, Any]) -> None:
        print(json.dumps(data, ensure_ascii=False))
