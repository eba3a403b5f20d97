"""build/model/results.jsonl (written by run.py) -> RESULTS.md; the newest row of a configuration counts."""

import json
import platform
import re
import subprocess
import sys
from typing import Any

from configs import CONFIGS, HERE, Config
from run import OUT

_HEAD = """# Results

Written by table.py from what run.py measured (`make model`); {tlc}, {java}, {system}, one worker thread, {when}.

`result` is the first broken property, or ok: the whole state space was searched. `states` are distinct ones. `steps` is
the depth of the state space, or the length of the shortest counterexample (TLC searches breadth-first). Seconds are
wall time on a machine that did other things too, the start of Java included.
"""
_COLUMNS = "| configuration | changed from the base | result | states | steps | s | note |"


def _row(config: Config, row: dict[str, Any]) -> str:
    changes = ", ".join(f"{name}={value}" for name, value in config.changes.items())
    result = row["result"] if row["result"] == config.expect else f"**{row['result']}**, expected {config.expect}"
    states, steps = f"{row['distinct'] or 0:,}", row["trace"] or row["depth"] or ""
    return f"| {config.name} | {changes} | {result} | {states} | {steps} | {row['seconds']} | {config.note} |"


def main() -> int:
    """Write the table; 1 when a configuration has no result."""
    lines = (OUT / "results.jsonl").read_text().splitlines()
    rows = {row["name"]: row for row in map(json.loads, lines)}
    outputs = sorted(OUT.glob("*.out"), key=lambda path: path.stat().st_mtime)
    newest = outputs[-1].read_text()
    version = re.search(r"(TLC2) Version ([\d.]+)", newest)
    day = re.search(r"Starting\.\.\. \((\d{4}-\d\d-\d\d)", newest)
    told = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True).stderr  # noqa: S607
    java = re.search(r'version "([\d.]+)', told)
    out = [
        _HEAD.format(
            tlc=f"TLC {version[2]}" if version else "TLC",
            java=f"Java {java[1]}" if java else "Java",
            system=f"{platform.system()} {platform.machine()}",
            when=day[1] if day else "",
        )
    ]
    missing = []
    for title in dict.fromkeys(config.group for config in CONFIGS):
        out += [f"## {title}", "", _COLUMNS, "| --- | --- | --- | ---: | ---: | ---: | --- |"]
        for config in [config for config in CONFIGS if config.group == title]:
            if config.name in rows:
                out.append(_row(config, rows[config.name]))
            else:
                missing.append(config.name)
        out.append("")
    (HERE / "RESULTS.md").write_text("\n".join(out))
    if missing:
        sys.stderr.write(f"without a result: {', '.join(missing)}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
