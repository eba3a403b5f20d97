"""Fixtures that every test may use: a real broker, fresh topics, a fresh group."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from tests.brokers import choose
from tests.brokers import topics as topic_sets
from tests.brokers.base import KAFKA_VERSION, Broker
from tests.brokers.clients import Clients
from worker.model import TopicNames

# No deadline for each example, nor for making it: how fast a busy machine is says nothing about the code. (Hypothesis
# is also best imported early: on Python 3.11.7 its plugin's import at the end of a run fails with a SystemError,
# CPython gh-106905.)
settings.register_profile("worker", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("worker")

MakeTopics = Callable[[int], Awaitable[TopicNames]]
NewGroup = Callable[[], str]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--broker",
        choices=choose.CHOICES,
        default="embedded",
        help="what the integration tests run on: the embedded broker (default), Apache Kafka from its jars, "
        "Apache Kafka in Docker, or `auto`: the most real one that this machine has",
    )


def pytest_report_header(config: pytest.Config) -> str:
    names = {
        "embedded": "embedded (noida-db)",
        "apache": f"Apache Kafka {KAFKA_VERSION}, from its jars",
        "docker": f"Apache Kafka {KAFKA_VERSION}, in Docker",
    }
    absent = [
        program for program in ("kcat", "prometheus", "promtool", "curl", "jq", "uuidgen") if not choose.has(program)
    ]
    left_out = f"; not on PATH, so the tests that run it are left out: {', '.join(absent)}" if absent else ""
    return f"broker: {names[choose.chosen(config.getoption('--broker'))]}{left_out}"


@pytest.hookimpl(tryfirst=True)  # before -m looks at the markers
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    choose.mark_and_deselect(config, items)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    """The broker that all tests share. A test that stops or kills it takes `own_broker`."""
    async with choose.running(_choice(request), tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest_asyncio.fixture
async def own_broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    """A broker for one test alone, which may stop, kill and restart it."""
    async with choose.running(_choice(request), tmp_path_factory.mktemp("own-broker")) as running:
        yield running


def _choice(request: pytest.FixtureRequest) -> str:
    return choose.chosen(request.config.getoption("--broker"))


@pytest_asyncio.fixture
async def make_topics(broker: Broker) -> AsyncIterator[MakeTopics]:
    """`await make_topics(partitions)`: six fresh topics with the right configs, gone after the test."""
    made: list[TopicNames] = []

    async def make(partitions: int) -> TopicNames:
        names = topic_sets.unique_names()
        await topic_sets.create(broker.bootstrap, names, partitions=partitions)
        made.append(names)
        return names

    yield make
    for names in made:
        await topic_sets.delete(broker.bootstrap, names)


@pytest_asyncio.fixture
async def topics(request: pytest.FixtureRequest, make_topics: MakeTopics) -> TopicNames:
    """Six fresh topics of 4 partitions; another count with `@pytest.mark.parametrize("topics", [8], indirect=True)`."""
    return await make_topics(getattr(request, "param", 4))


@pytest_asyncio.fixture
async def clients(broker: Broker) -> AsyncIterator[Clients]:
    """Kafka clients of the shared broker, stopped after the test."""
    async with AsyncExitStack() as stack:
        yield Clients(broker.bootstrap, stack)


@pytest.fixture
def new_group() -> NewGroup:
    """`new_group()`: a consumer group id that nobody has used."""
    return lambda: f"g{uuid.uuid4().hex[:10]}"


@pytest.fixture
def group(new_group: NewGroup) -> str:
    """One consumer group id that nobody has used."""
    return new_group()
