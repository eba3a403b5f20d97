"""Fixtures of the tests that run real workers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.brokers.base import Broker
from tests.brokers.clients import Clients
from tests.brokers.secured import SecuredKafka
from tests.integration.harness import Scene
from tests.integration.secured_world import secured_kafka
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


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def secured(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecuredKafka]:
    """An Apache Kafka with TLS, SASL and ACLs, for all tests that want one."""
    async with secured_kafka(tmp_path_factory.mktemp("secured")) as running:
        yield running
