"""`python -m tests.screenshots [DIRECTORY]`: writes the pictures (default: docs/images) and names them."""

import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.screenshots.browser import Browser, View
from tests.screenshots.scene import Scene
from worker.demo.process import ServerError

_WIDE, _NARROW = View(), View(width=390, height=1500, scale=1.5)
_DARK = View(scheme="dark")


def main(arguments: Sequence[str]) -> int:
    """Exit status: 0 written; 2 something is missing, or a state was not reached in time."""
    into = Path(arguments[0]) if arguments else Path(__file__).parents[2] / "docs" / "images"
    into.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="worker-screenshots-", ignore_cleanup_errors=True) as directory:
        logging.basicConfig(filename=Path(directory) / "clients.log")
        try:
            asyncio.run(_take(Path(directory), into))
        except ServerError as error:
            print(error, file=sys.stderr)
            return 2
    return 0


async def _take(directory: Path, into: Path) -> None:
    async with Browser(directory / "browser") as browser, Scene(directory) as scene:

        async def shoot(name: str, view: View) -> None:
            seen = await browser.look(scene.url, view)
            if seen.complaints or seen.wanted_width > view.width:
                raise ServerError(f"{name}: it wants {seen.wanted_width} pixels; {seen.complaints}")
            (into / f"{name}.png").write_bytes(seen.picture)
            print(f"{into / name}.png: {len(seen.picture) / 1000:.0f} kB")

        await scene.healthy()
        await shoot("status-healthy", _WIDE)
        await scene.trouble()
        await shoot("status-trouble", _WIDE)
        await shoot("status-trouble-narrow", _NARROW)
        await scene.gate_closed()
        await shoot("status-gate-closed", _DARK)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
