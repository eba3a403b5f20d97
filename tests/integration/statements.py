"""`worker statement` as finance would call it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.integration.harness import Scene
from tests.integration.test_why import worker_command


@dataclass(frozen=True)
class Told:
    """What a statement says."""

    status: int
    lines: list[str]
    whole: dict[str, Any]

    @property
    def unexplained(self) -> set[tuple[str, str]]:
        return {(one["kind"], one["subject"]) for one in self.whole["unexplained"]}

    def sums(self) -> dict[str, tuple[int, str]]:
        return {one["outcome"]: (one["invoices"], one["amount"]) for one in self.whole["sums"]}


async def statement(scene: Scene, directory: Path, *words: str) -> Told:
    """The statement of yesterday to tomorrow."""
    now, file = datetime.now(UTC), directory / "statement.json"
    period = ("--from", (now - timedelta(days=1)).isoformat(), "--to", (now + timedelta(days=1)).isoformat())
    status, out, err = await worker_command(scene, "statement", *period, "--json", str(file), *words)
    assert status in (0, 1), err
    assert out, err
    return Told(status, out.splitlines(), json.loads(file.read_text(encoding="utf-8")))
