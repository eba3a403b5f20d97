"""Which broker the tests run on: the option --broker."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.brokers.apache import ApacheKafka
from tests.brokers.base import Broker
from tests.brokers.jars import java
from worker.demo.broker import EmbeddedBroker
from worker.demo.process import ServerError

CHOICES = ("embedded", "apache", "docker", "auto")


def chosen(option: str) -> str:
    """`embedded`, `apache` or `docker`. `auto` prefers Apache Kafka by whatever the machine has: jars, then Docker."""
    if option != "auto":
        return option
    try:
        java()
    except ServerError:
        return "docker" if shutil.which("docker") and _engine_answers() else "embedded"
    return "apache"


@asynccontextmanager
async def running(choice: str, data_dir: Path) -> AsyncIterator[Broker]:
    """A broker of that kind, started; gone with its data afterwards, so nothing needs to end in good order.

    Raises ServerError when the machine lacks something.
    """
    if choice == "docker":
        from tests.brokers.docker import DockerKafka

        container = DockerKafka()
        try:
            await container.start()
            yield container
        finally:
            container.remove()
        return
    process = EmbeddedBroker(data_dir) if choice == "embedded" else ApacheKafka(data_dir)
    try:
        await process.start()
        yield process
    finally:
        process.kill()


def _engine_answers() -> bool:
    from tests.brokers.docker import engine_answers

    return engine_answers()


def mark_and_deselect(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what uses a broker; take out, and count, what this broker or this machine can't run."""
    for item in items:
        if {"broker", "own_broker"} & set(getattr(item, "fixturenames", ())) or item.get_closest_marker("apache"):
            item.add_marker("broker")
    embedded = chosen(config.getoption("--broker")) == "embedded"
    lacks = {"apache": embedded, "kcat": not has("kcat"), "prometheus": not (has("prometheus") and has("promtool"))}
    absent = {name for name, missing in lacks.items() if missing}
    out = [
        item
        for item in items
        if absent & {marker.name for marker in item.iter_markers()}
        or any(not has(marker.args[0]) for marker in item.iter_markers("program"))
    ]
    if out:
        items[:] = [item for item in items if item not in out]
        config.hook.pytest_deselected(items=out)


def has(program: str) -> bool:
    """Whether this machine has a program that some tests run."""
    return shutil.which(program) is not None
