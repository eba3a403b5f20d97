"""What the pages print, and what stands for it when it is run: addresses, and invoices in some trouble.

Pages name the default ports and invoices that they tell a story of. The ports become those of the world; the story's
invoices exist in it, made beforehand. A command that uses a dead letter up (it replays it, decides about it) gets a
new one in the place of the printed one, so that it has something to do wherever it stands.
"""

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from schemas.jsontext import dumps
from tests.docs.markdown import ROOT
from tests.docs.world import Letter, Trouble, World
from tests.integration.events import data, event

REJECTED, DOUBT, RECONCILED = "10759/Invoice/20002", "10759/Invoice/30004", "10759/Invoice/30002"
ORIGINS = ("invoice.requests/3/17", "invoice.requests/3/1042", "invoice.requests/3/0")
"""The printed places of REJECTED's event. Its number leads to partition 3 of 12."""
FINGERPRINT, KRAVIA_ID = "25072167", "4711"
COPIED = "2026-11-27"
"""The day of the copy that a page restores; the world's is of yesterday."""

_COPIED = ("docs", "helm", "schemas")
_LINKED = (".github", "Dockerfile", "LICENSE", "Makefile", "README.md", "pyproject.toml", "requirements", "tests")

_USED_UP: Mapping[str, Trouble] = {"resolve": "in_doubt", "edit": "rejected", "replay": "refused", "discard": "refused"}
_DECIDES = re.compile(r"worker dead-letters (resolve|edit|replay|discard)\b(?!.*--dry-run)")
_LOGICAL_LINE = re.compile(r"(?:[^\n]*\\\n)*[^\n]*\n?")


@dataclass(frozen=True)
class Story:
    """The invoices that pages tell of."""

    rejected: Letter
    doubt: Letter
    refused: Letter


def addresses(text: str, world: World) -> str:
    """Printed addresses, ports and defaults become the world's."""
    for printed, real in (
        (r"\b(?:localhost|kafka-bootstrap\.kafka):9092\b", world.broker.bootstrap),
        (r"--kafka-port 9092\b", f"--kafka-port {world.broker.port}"),
        (r"(\blocalhost:|--kafka-port )9093\b", rf"\g<1>{world.scratch_port}"),
        (r"--port 8081\b", f"--port {world.kravia_port}"),
        (r"\b(?:localhost|127\.0\.0\.1):8081\b", f"127.0.0.1:{world.kravia_port}"),
        (r"\blocalhost:8080\b", f"127.0.0.1:{world.http_port}"),
        (r"\bworker status\b(?! --url)", f"worker status --url http://127.0.0.1:{world.http_port}/status"),
    ):
        text = re.sub(printed, real, text)
    return text.replace(COPIED, f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}")


def told(text: str, world: World, story: Story) -> str:
    """The story's invoices, or new ones for the commands that use them up."""
    return "".join(_told(line, world, story) for line in _LOGICAL_LINE.findall(text))


def _told(line: str, world: World, story: Story) -> str:
    rejected, doubt, refused, invoice_id = story.rejected, story.doubt, story.refused, KRAVIA_ID
    verb = _DECIDES.search(line.replace("\\\n", " "))
    if verb is not None:
        trouble = _trouble(verb[1], line)
        [letter] = world.in_trouble(trouble)
        match trouble:
            case "in_doubt":
                doubt = letter
                if "--registered" in line:
                    invoice_id = world.registered_by_hand(letter.identity.rpartition("/")[2])
            case "rejected":
                rejected = letter
            case "refused":
                refused = letter
            case "forbidden" | "conflict":
                pass  # the command names the reason, not the letter
    for printed, real in (
        (REJECTED, rejected.identity),
        *((origin, rejected.origin) for origin in ORIGINS),
        (DOUBT, doubt.identity),
        ("ORIGIN", doubt.origin),
        (FINGERPRINT, refused.fingerprint),
        (KRAVIA_ID, invoice_id),
        ("<topic>/<partition>/<offset>", refused.origin),
        ("<key>", refused.identity),
    ):
        line = re.sub(rf"(?<![\w./]){re.escape(printed)}(?![\w/])", real, line)
    return line


def _trouble(verb: str, line: str) -> Trouble:
    for trouble in ("conflict", "forbidden"):
        if f"--reason {trouble}" in line:
            return trouble
    return _USED_UP[verb]


def begun(world: World) -> Story:
    """Make the story's invoices in a world whose worker runs. Those that went well are there, too."""
    good = [event("20001", event_id="b6a1c0de-0001"), event("30012", documents=1)]
    world.settled(world.send(*good))
    rejected, _, doubt, _, refused = world.letters(
        [
            (REJECTED.rpartition("/")[2], "rejected"),
            (RECONCILED.rpartition("/")[2], "in_doubt"),
            (DOUBT.rpartition("/")[2], "in_doubt"),
            ("20004", "conflict"),
            ("20005", "refused"),
        ]
    )
    return Story(rejected, doubt, refused)


def lost(world: World) -> None:
    """Events sent again to a cluster that was lost; Kravia has one of their invoices."""
    world.send(event("20001"), event("20003"), event("20006"))
    world.registered_by_hand("20006")


def checkout(directory: Path) -> Path:
    """A directory laid out like a checkout that commands may write into, with the files that pages speak of."""
    root = directory / "checkout"
    root.mkdir()
    for name in _COPIED:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "states"))
    for name in _LINKED:
        if (ROOT / name).exists():
            (root / name).symlink_to(ROOT / name)
    (root / "build").mkdir()
    for name, make in FILES.items():
        (root / name).write_bytes(make())
    return root


def _requests(*numbers: str) -> bytes:
    """Invoice events, one on a line."""
    return b"\n".join(dumps(data(number)) for number in numbers) + b"\n"


FILES: Mapping[str, Callable[[], bytes]] = {
    "event.json": lambda: _requests("20001"),
    "corrected.json": lambda: _requests("20002"),
    "events.jsonl": lambda: _requests("20003") + dumps(data("20001", dueDate="2026-02-30")) + b"\n",
    "values.yaml": (ROOT / "helm" / "ci" / "minimal-values.yaml").read_bytes,
    "invoice-20003.pdf": lambda: b"%PDF-1.4\n",
    "token": lambda: b"local\n",
}
"""Files that pages speak of, by name."""
