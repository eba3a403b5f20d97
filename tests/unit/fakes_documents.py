"""`ports.DocumentStore`, scripted, and its documents in memory."""

import asyncio
import hashlib
from collections import defaultdict, deque


class FakeDocument:
    """`ports.Document` in memory."""

    def __init__(self, content):
        self.content, self.closed = content, False
        self.size, self.sha256 = len(content), hashlib.sha256(content).hexdigest()

    def read(self, offset, count):
        assert not self.closed
        return self.content[offset : offset + count]

    def close(self):
        self.closed = True


class FakeDocuments:
    """`ports.DocumentStore`, scripted: `plan(url, …)` gives the next answers, each as it is, or (seconds, answer).

    Without a plan it gives `contents[url]`. `asked`: URLs in their order; `held`: bytes of space taken now.
    """

    def __init__(self):
        self.plans = defaultdict(deque)
        self.contents, self.asked, self.given = {}, [], []
        self.held = self.most = 0

    def plan(self, url, *answers):
        self.plans[url].extend(answers)

    async def room(self, size):
        self.held += size
        self.most = max(self.most, self.held)
        return _Share(self, size)

    async def fetch(self, reference):
        self.asked.append(reference.url)
        plan = self.plans[reference.url]
        seconds, answer = 0.0, plan.popleft() if plan else None
        if isinstance(answer, tuple):
            seconds, answer = answer
        await asyncio.sleep(seconds)
        if answer is None:
            answer = FakeDocument(self.contents[reference.url])
            self.given.append(answer)
        return answer


class _Share:
    def __init__(self, store, size):
        self.store, self.size = store, size

    def close(self):
        self.store.held -= self.size
        self.size = 0
