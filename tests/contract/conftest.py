"""The log under test: every contract of its ports runs on the simulation's Kafka and on the real adapters."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.brokers.base import Broker
from tests.brokers.clients import Clients
from tests.conftest import MakeTopics
from tests.contract import log_backends
from tests.contract.log_backends import LogBackend

Real = tuple[Broker, MakeTopics, Clients]
BACKENDS = ["simulated", pytest.param("adapters", marks=pytest.mark.broker)]


@pytest.fixture(params=BACKENDS)
def real(request: pytest.FixtureRequest) -> Real | None:
    """The broker for the real adapters; None for the simulation, which needs none."""
    if request.param == "simulated":
        return None
    broker, make_topics, clients = (request.getfixturevalue(name) for name in ("broker", "make_topics", "clients"))
    return broker, make_topics, clients


@pytest_asyncio.fixture
async def log(real: Real | None, group: str) -> AsyncIterator[LogBackend]:
    """Fresh topics of two partitions, a fresh group."""
    if real is None:
        backend = log_backends.simulated()
    else:
        broker, make_topics, _ = real
        backend = log_backends.adapters(broker.bootstrap, await make_topics(log_backends.PARTITIONS), group)
    yield backend
    for producer in backend.made:
        await producer.close()
    await backend.close()
