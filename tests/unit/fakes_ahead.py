"""Time-outs without waiting for them, and without a race against them: long ones, whose end the test brings about."""

import asyncio
from collections.abc import Callable

import pytest
from aiohttp.client_proto import ResponseHandler

from tests.brokers.waiting import until

LONG = 600.0
"""Seconds that no test takes, however slow its machine is."""


def go_ahead(seconds: float = LONG) -> None:
    """Let the running loop's clock jump: what is due by then is due now. For asyncio's own loop, which ends with its
    test."""
    loop = asyncio.get_running_loop()
    real = loop.time
    loop.time = lambda: real() + seconds  # type: ignore[method-assign]


async def holds(condition: Callable[[], bool]) -> None:
    """Wait for something that does not tell."""

    async def look() -> bool:
        return condition()

    await until(look, bool)


async def others_run() -> None:
    """Let all run that need nothing but their turn."""
    for _ in range(50):
        await asyncio.sleep(0)


class Heard:
    """What aiohttp's clients heard from their connections: pieces of data, and that one was lost."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pieces = 0
        self.losses = 0
        data_received, connection_lost = ResponseHandler.data_received, ResponseHandler.connection_lost

        def received(handler: ResponseHandler, data: bytes) -> None:
            data_received(handler, data)
            self.pieces += 1

        def lost(handler: ResponseHandler, error: BaseException | None) -> None:
            connection_lost(handler, error)
            self.losses += 1

        monkeypatch.setattr(ResponseHandler, "data_received", received)
        monkeypatch.setattr(ResponseHandler, "connection_lost", lost)
