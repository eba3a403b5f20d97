"""The configurations of configs.txt, as values."""

import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
_PROPERTIES = re.compile(r"(?m)^INVARIANTS.*\n")


@dataclass(frozen=True, slots=True)
class Config:
    """One run of TLC. `expect` is "ok" or what must break; `changes`: constants that differ from the base file."""

    group: str
    module: str
    name: str
    expect: str
    changes: dict[str, str]
    note: str
    small: bool

    @property
    def deadlock(self) -> bool:
        """Whether a state without a next one is an error: there it says "nothing lost, nothing stuck"."""
        return self.module == "MCInvoiceWorker" and self.expect in ("ok", "Deadlock")

    def text(self) -> str:
        """The TLC configuration. Raises ValueError for a constant that the base file does not have."""
        text = (HERE / f"{self.module.removeprefix('MC')}.base.cfg").read_text()
        for name, value in self.changes.items():
            line = re.search(rf"(?m)^  {name} (<-|=) (.*)$", text)
            if line is None:
                raise ValueError(f"{self.name}: {self.module} has no constant {name}")
            quoted = f'"{value}"' if line[2].startswith('"') else value
            text = text.replace(line[0], f"  {name} {line[1]} {quoted}")
        if self.expect in ("Deadlock", "Temporal", "ok"):
            return text if self.expect != "Deadlock" else _PROPERTIES.sub("", text)
        return _PROPERTIES.sub(f"INVARIANTS {self.expect}\n", text)


def _read(text: str) -> list[Config]:
    configs: list[Config] = []
    group = module = ""
    for line in text.splitlines():
        if line.startswith("== "):
            module, _, group = line.removeprefix("== ").partition(": ")
        elif line and not line.startswith("#"):
            head, _, note = line[2:].partition("# ")
            name, expect, *sets = head.split()
            changes = dict(re.split("<-|=", each, maxsplit=1) for each in sets)
            configs.append(Config(group, module, name, expect, changes, note, line.startswith("*")))
    return configs


CONFIGS = _read((HERE / "configs.txt").read_text())
