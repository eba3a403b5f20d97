"""The event loop of `worker run`: uvloop's, which lets go of a TLS connection soon."""

import asyncio
from typing import Any, Final

import uvloop

_FAREWELL: Final = 0.1
"""Seconds that a closed TLS connection waits for its peer's farewell (close_notify).

uvloop waits 30 s by default, where asyncio drops a connection at once on which data still comes in (uvloop issue 471).
A Kafka broker that has a fetch to answer never says farewell, and aiokafka waits for the end of each connection: every
read of a ledger took 30 s. Nothing is lost by going: whoever closes a connection has had its answers.
"""


class _Loop(uvloop.Loop):
    async def create_connection(self, *arguments: Any, **options: Any) -> Any:
        if options.get("ssl"):
            options.setdefault("ssl_shutdown_timeout", _FAREWELL)
        return await super().create_connection(*arguments, **options)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A loop for `asyncio.Runner`."""
    return _Loop()
