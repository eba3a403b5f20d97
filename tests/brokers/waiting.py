"""Waiting for what a broker shows a little later, without sleeping for luck."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Seen = TypeVar("Seen")


async def until(look: Callable[[], Awaitable[Seen]], wanted: Callable[[Seen], bool], timeout: float = 60.0) -> Seen:
    """Look again and again until what is seen is `wanted`, and return it.

    Raises AssertionError with the last thing seen after `timeout` seconds.
    """
    deadline = asyncio.get_running_loop().time() + timeout
    while not wanted(seen := await look()):
        assert asyncio.get_running_loop().time() < deadline, f"not seen within {timeout:g} s; the last was {seen!r}"
        await asyncio.sleep(0.02)
    return seen


async def equals(look: Callable[[], Awaitable[object]], expected: object, timeout: float = 60.0) -> None:
    """`until` for one value. On Apache Kafka a commit returns before its markers are written: readers see it later."""
    await until(look, lambda seen: seen == expected, timeout)
