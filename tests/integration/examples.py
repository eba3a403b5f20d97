"""Runs the examples of docs/examples as their readers would: as programs of their own."""

import asyncio
import os
import re
from dataclasses import dataclass
from pathlib import Path

from tests.integration.harness import Scene
from worker.model import Coordinates

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "examples"
TIMEOUT = 180.0
"""Seconds. Long: a JVM that compiles first, on a busy machine."""

_WRITTEN = re.compile(r"^written to (?P<topic>\S+)/(?P<partition>\d+)/(?P<offset>\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Line:
    """What a reader of outcomes printed about one."""

    outcome_id: str
    key: str
    outcome: str
    detail: str
    """Kravia's id, or the reason."""


async def run(*command: str | Path) -> str:
    """What the program printed. AssertionError, with its errors, when it fails or does not end."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    try:
        async with asyncio.timeout(TIMEOUT):
            output, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise AssertionError(f"{command} did not end within {TIMEOUT:g} s") from None
    assert process.returncode == 0, f"{command} ended with {process.returncode}:\n{errors.decode()}"
    return output.decode()


def written(output: str) -> Coordinates:
    """Where a producer says that its record stands."""
    found = _WRITTEN.search(output)
    assert found, output
    return Coordinates(found["topic"], int(found["partition"]), int(found["offset"]))


async def outcomes(scene: Scene, group: str, count: int, *reader: str | Path) -> list[Line]:
    """The first `count` outcomes, as this reader prints them."""
    output = await run(*reader, scene.broker.bootstrap, scene.topics.outcomes, group, str(count))
    return [Line(*line.split(" ")) for line in output.splitlines()]
