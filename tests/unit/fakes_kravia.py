"""`ports.KraviaApi`, scripted."""

import asyncio
from collections import defaultdict, deque

from worker.answers import Done, NotSent, Registered
from worker.ports import Details, SearchPage


class FakeKravia:
    """`ports.KraviaApi`, scripted: `plan(step, …)` gives the next answers, each as it is, or (seconds, answer).

    Without a plan it answers well. `calls`: (step, invoice id or body, file name or message).
    """

    def __init__(self):
        self.plans = defaultdict(deque)
        self.calls = []
        self.received = []
        self.running = self.most = 0
        self.ids = 0

    def plan(self, step, *answers):
        self.plans[step].extend(answers)

    def steps(self):
        return [call[0] for call in self.calls]

    async def _answer(self, step, good, *said):
        self.calls.append((step, *said))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            answer = self.plans[step].popleft() if self.plans[step] else good
            seconds, answer = answer if isinstance(answer, tuple) else (0.0, answer)
            await asyncio.sleep(seconds)
            if isinstance(answer, BaseException):
                raise answer
            return answer
        finally:
            self.running -= 1

    async def register(self, body, validity):
        if not validity.holds():
            return NotSent("expired")
        self.ids += 1
        return await self._answer("register", Registered(f"inv-{self.ids}"), body)

    async def attach(self, invoice_id, file_name, media_type, content, validity):
        if not validity.holds():
            return NotSent("expired")
        if not isinstance(content, str):
            self.received.append(content.read(0, content.size))
        return await self._answer("attach", Done(), invoice_id, file_name)

    async def start(self, invoice_id, message, validity):
        if not validity.holds():
            return NotSent("expired")
        return await self._answer("start", Done(), invoice_id, message)

    async def details(self, invoice_id):
        return await self._answer("details", Details(None, None), invoice_id)

    async def search(self, since, *, skip, top):
        return await self._answer("search", SearchPage(()))
