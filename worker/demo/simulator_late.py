"""Calls that a simulated Kravia carries out after it has answered, or has not."""

import asyncio
from collections.abc import Callable


class LateCalls:
    """What is still to be carried out, on the running loop's clock."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.TimerHandle] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        """Do it then."""

        def run() -> None:
            self._waiting.discard(handle)
            act()

        handle = asyncio.get_running_loop().call_later(seconds, run)
        self._waiting.add(handle)

    def cancel(self) -> None:
        """They are never carried out."""
        for handle in self._waiting:
            handle.cancel()
        self._waiting.clear()
