"""An event loop on virtual time, and a clock that follows it: nothing sleeps really, every wait is exact."""

import asyncio
import functools
import selectors
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_STUCK = 7 * 24 * 3600.0


class _Jumping(selectors.DefaultSelector):
    """Never waits: when nothing is ready, time jumps to the next timer."""

    loop: "VirtualLoop"

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("nothing will ever happen: every task waits for something that no timer brings")
        if not ready and timeout > 0:
            self.loop.virtual += timeout
            if self.loop.virtual > _STUCK:
                raise RuntimeError("a week of virtual time has passed: the test waits for something that never comes")
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its time stands still while code runs, and jumps to the next timer when all of it waits."""

    def __init__(self):
        selector = _Jumping()
        selector.loop = self
        self.virtual = 0.0
        super().__init__(selector)

    def time(self):
        return self.virtual


def virtual(test):
    """Run an async test on virtual time. Fails when a task or a callback failed and nobody looked."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        complaints = []
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.get_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
            runner.run(test(*args, **kwargs))
        assert not complaints, complaints

    return run


class VirtualClock:
    """`ports.Clock` on the running loop's time. `wall_shift` and `boot_shift` (seconds) set a clock off."""

    def __init__(self):
        self.wall_shift = 0.0
        self.boot_shift = 0.0

    def now(self):
        return EPOCH + timedelta(seconds=self.monotonic() + self.wall_shift)

    def boottime(self):
        return self.monotonic() + self.boot_shift

    def monotonic(self):
        return asyncio.get_running_loop().time()


async def until(condition, *, within=3600.0, step=0.01):
    """Let the others run until `condition()` holds, looked at every `step` virtual seconds; AssertionError after
    `within`."""
    deadline = asyncio.get_running_loop().time() + within
    for _ in range(20):
        if condition():
            return
        await asyncio.sleep(0)
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "the condition never held"
        await asyncio.sleep(step)


async def settle_down():
    """Let everything run that can run without time passing."""
    for _ in range(50):
        await asyncio.sleep(0)
