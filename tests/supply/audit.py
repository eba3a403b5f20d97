"""`make audit`: are vulnerabilities known of what the lock files name?

python audit.py [ARGUMENT OF PIP-AUDIT ...]

pip-audit asks its vulnerability service about each distribution of each requirements/*.txt; nothing is installed. It
lives in an environment of its own (requirements/audit.txt), so this needs nothing but that and the standard library.
A vulnerability that does not reach the worker may be accepted for a time, in pyproject.toml:

    [tool.audit.accepted]
    GHSA-xxxx-xxxx-xxxx = { until = 2027-03-01, why = "only in its server, which is not used" }
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Result:
    """What came of one lock file or of all: lines for people, and how many distributions were asked about."""

    vulnerable: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    """Questions without an answer: why nothing is known of a distribution, or of a whole lock file."""
    asked: int = 0

    def add(self, other: "Result") -> None:
        self.vulnerable += other.vulnerable
        self.accepted += other.accepted
        self.unknown += other.unknown
        self.asked += other.asked


def judge(lock: str, report: Mapping[str, Any], accepted: Mapping[str, Any], today: date) -> Result:
    """What pip-audit's JSON report says of the lock file named `lock`.

    `accepted` is `[tool.audit.accepted]`, by any identifier that a vulnerability has; it counts up to `until`.
    """
    result = Result(asked=len(report["dependencies"]))
    for each in report["dependencies"]:
        if reason := each.get("skip_reason"):
            result.unknown.append(reason)
            continue
        for vulnerability in each["vulns"]:
            identifiers = [vulnerability["id"], *vulnerability.get("aliases", ())]
            known = next((accepted[identifier] for identifier in identifiers if identifier in accepted), None)
            fixed = ", ".join(vulnerability["fix_versions"]) or "no release yet"
            line = f"{lock}: {each['name']} {each['version']}: {' '.join(identifiers)}, fixed in: {fixed}"
            if known and today <= known["until"]:
                result.accepted.append(f"{line}; accepted until {known['until']}: {known['why']}")
            else:
                result.vulnerable.append(f"{line}; was accepted until {known['until']}" if known else line)
    return result


def ask(lock: Path, arguments: Sequence[str]) -> Mapping[str, Any] | str:
    """pip-audit's report on one lock file, or why there is none: the last line that it wrote."""
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "report.json"
        options = ["--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off"]
        done = subprocess.run(
            [sys.executable, "-m", "pip_audit", "-r", str(lock), "-o", str(output), *options, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        if output.is_file() and (text := output.read_text(encoding="utf-8")):
            report: Mapping[str, Any] = json.loads(text)
            return report
    return (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]


def status(result: Result, locks: Iterable[str]) -> tuple[int, list[str]]:
    """Exit status and what to say: 0 nothing is known, 1 something is, 2 nobody could be asked about all of it."""
    lines = [f"audit: accepted: {line}" for line in result.accepted]
    lines += [f"audit: VULNERABLE: {line}" for line in result.vulnerable]
    if result.vulnerable:
        lines.append(
            "audit: raise the version (make upgrade, or a lower bound in pyproject.toml and make lock); where it can't"
            " be raised, accept it for a time under [tool.audit.accepted]: docs/explanation/supply-chain.md"
        )
    if result.unknown:
        lines.append(
            f"audit: NOT AUDITED: the vulnerability service left {len(result.unknown)} questions without an answer."
            " Is it reachable from here? That nothing was found is no sign that nothing is known. Another service:"
            f" make audit AUDIT_ARGS='--vulnerability-service osv'. The first of them: {result.unknown[0]}"
        )
    if result.vulnerable:
        return 1, lines
    if result.unknown:
        return 2, lines
    return 0, [*lines, f"audit: nothing known of {result.asked} distributions in {', '.join(locks)}"]


def main(arguments: Sequence[str]) -> int:
    """Audit every lock file; exit status as `status` has it."""
    accepted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["audit"]["accepted"]
    result = Result()
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    for lock in locks:
        report = ask(lock, arguments)
        if isinstance(report, str):
            result.add(Result(unknown=[f"{lock.name}: {report}"]))
        else:
            result.add(judge(lock.name, report, accepted, date.today()))  # noqa: DTZ011 - a day of the calendar will do
    code, lines = status(result, [lock.name for lock in locks])
    print("\n".join(lines), file=sys.stderr if code else sys.stdout)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
