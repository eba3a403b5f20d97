"""`worker doctor`: is everything in order for a worker to run here?"""

import argparse
import asyncio
import json
import logging
from dataclasses import asdict
from typing import TYPE_CHECKING

from worker.cli.common import FAILED, OK, REFUSED, observe_parser, settings_parser
from worker.cli.reports import plain
from worker.doctor.findings import Finding, Level, failed

if TYPE_CHECKING:
    from worker.cli.common import Commands
    from worker.settings import Settings

_DESCRIPTION = """\
Go through what a first deployment gets wrong: settings, this machine, brokers, topics, rights, whose ledger it is, the
API with its token (one search) and the proxy before it, clocks, documents. It changes nothing: no group is joined and
no live transactional id is used, so it may run beside a worker.

exit status: 0 all is well (warnings do not change that); 1 something must be mended; 2 wrong usage or refused
settings."""


def add_doctor(commands: "Commands") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "doctor",
        parents=[settings_parser(), observe_parser()],
        help="is everything in order for a worker to run here?",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="a JSON list of the findings")
    parser.set_defaults(command=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    # Only here: it brings aiohttp and the metrics along.
    from worker.doctor.examine import load_settings, settings_findings  # noqa: PLC0415
    from worker.settings import Refused  # noqa: PLC0415

    # What the client libraries log while they try is in the findings as well.
    for name in ("aiokafka", "aiohttp"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    loaded = load_settings(arguments.env_file, observe=arguments.observe)
    findings = settings_findings(loaded)
    if not arguments.json:
        for finding in findings:
            _print(finding)
    if isinstance(loaded, Refused):
        if arguments.json:
            _print_json(findings)
        return REFUSED
    findings += asyncio.run(_examine(loaded.settings, observe=arguments.observe, as_json=arguments.json))
    if arguments.json:
        _print_json(findings)
    else:
        counts = {level: sum(finding.level is level for finding in findings) for level in Level}
        print(f"{counts[Level.OK]} ok, {counts[Level.WARN]} to look at, {counts[Level.FAIL]} to mend")
    return FAILED if failed(findings) else OK


async def _examine(settings: "Settings", *, observe: bool, as_json: bool) -> list[Finding]:
    from worker.doctor.examine import examine  # noqa: PLC0415 - as above

    findings = []
    async for finding in examine(settings, observe=observe):
        findings.append(finding)
        if not as_json:
            _print(finding)
    return findings


def _print(finding: Finding) -> None:
    print(plain(f"{finding.level:4}  {finding.area:9}  {finding.what}: {finding.detail}"), flush=True)
    if finding.remedy:
        print(plain(f"      {'':9}  → {finding.remedy}"), flush=True)


def _print_json(findings: list[Finding]) -> None:
    print(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
