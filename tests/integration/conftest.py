"""Fixtures of the tests that run real workers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.brokers.base import Broker
from tests.brokers.clients import Clients
from tests.integration.harness import Scene
from worker.demo.simulator import Simulator
from worker.model import TopicNames


@pytest_asyncio.fixture
async def scene(
    broker: Broker, clients: Clients, topics: TopicNames, group: str, tmp_path: Path
) -> AsyncIterator[Scene]:
    """Fresh topics of 4 partitions, a simulated Kravia, no worker yet; what was started is killed after the test."""
    async with Simulator() as kravia:
        made = Scene(broker, clients, topics, group, kravia, tmp_path)
        try:
            yield made
        finally:
            await made.close()
