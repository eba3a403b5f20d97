"""Fixtures: the shared world of the pages' commands, and a page's shell in it or in a world of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.docs import programs
from tests.docs.blocks import Block
from tests.docs.markdown import ROOT
from tests.docs.samples import Story, begun, checkout, lost
from tests.docs.shell import Shell
from tests.docs.world import PARTITIONS, World

Environment = dict[str, str]
_OURS = ("KAFKA_", "KRAVIA_", "TOPIC_", "WORKER_", "DOCUMENT_", "RULE_", "MAKE")


@pytest.fixture(scope="package")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """What a reader's shell has set: the environment's programs on PATH, and nothing of ours."""
    directory = tmp_path_factory.mktemp("reader")
    process, socket = programs.forks(directory)
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(_OURS)}
    installed = Path(sys.executable).parent
    path = os.pathsep.join([str(programs.programs(directory / "bin")), str(installed), kept.get("PATH", "")])
    try:
        yield kept | {"PATH": path, "DOCS_FORKS": socket, "DOCS_INSTALLED": str(installed)}
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory, reader: Environment) -> Iterator[tuple[World, Story]]:
    """The world of the pages that don't make one, with its story."""
    directory = tmp_path_factory.mktemp("world")
    world = World(directory)
    try:
        world.start()
        _make_topics(world, directory, reader)
        # A runbook speaks of a worker that observes: the page that says how one begins may be run by another process.
        Shell(directory / "observe", directory, world, reader | world.environment()).run(
            "worker topics create --observe\n"
        )
        world.start_worker()
        yield world, begun(world)
    finally:
        world.stop()


@pytest.fixture(scope="module")
def shell_of(
    tmp_path_factory: pytest.TempPathFactory, reader: Environment, request: pytest.FixtureRequest
) -> Iterator[Callable[[Block], Shell]]:
    """A page's shell, one for all of its blocks in a world."""
    made: dict[tuple[str, str], Shell] = {}
    worlds: list[World] = []

    def shell(block: Block) -> Shell:
        if (block.page, block.world) in made:
            return made[block.page, block.world]
        directory = tmp_path_factory.mktemp("page")
        root = checkout(directory)
        (root / ".venv").mkdir()
        (root / ".venv" / "bin").symlink_to(reader["PATH"].partition(os.pathsep)[0])
        story: Story | None = None
        if block.world == "shared":
            world, story = request.getfixturevalue("shared")
        else:
            worlds.append(world := World(directory))
            if block.world != "page":
                world.start()
                _make_topics(world, directory, reader)
            if block.world == "lost":
                lost(world)
                before: World = request.getfixturevalue("shared")[0]
                export = [ROOT / "docs/examples/backup/export-ledger.sh", root / "build/ledger.tsv"]
                subprocess.run([*export, before.broker.bootstrap], check=True)
        # Where the page makes its own world, it says itself where that is.
        known = {} if block.world == "page" else world.environment()
        made[block.page, block.world] = Shell(directory / "notes", root, world, reader | known, story)
        return made[block.page, block.world]

    try:
        yield shell
    finally:
        for each in made.values():
            each.kill()
        for own in worlds:
            own.stop()


def _make_topics(world: World, directory: Path, reader: Environment) -> None:
    shell = Shell(directory / "topics", directory, world, reader | world.environment())
    shell.run(f"worker topics create --partitions {PARTITIONS}\n")
