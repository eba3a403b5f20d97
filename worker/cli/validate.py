"""`worker validate`: what the worker would say about events, before they are sent."""

import argparse
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from worker.checking.judge import Judged, Partitioner, Rules, Severity, examine, warned
from worker.checking.reading import Format
from worker.checking.repeats import Repeats
from worker.cli.common import FAILED, OK, REFUSED, load_settings, positive, settings_parser
from worker.cli.progress import Reading
from worker.cli.reports import Inputs, as_lines, as_object
from worker.decode import Limits
from worker.model import Event
from worker.settings import Purpose

if TYPE_CHECKING:
    from worker.cli.common import Commands

_DESCRIPTION = """\
Judge events by the worker's own rules. Each is an event's data, a structured CloudEvent, or a record as `kcat -J`
prints it, in JSON (an array's elements one by one) or JSON Lines. Nothing is sent, no broker is asked. The settings
count as far as they say what the worker takes.

exit status: 0 the worker would take all of them; 1 it would not, or with --strict there are warnings; 2 wrong usage,
refused settings, or a file that can't be read."""


def add_validate(commands: "Commands") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "validate",
        parents=[settings_parser()],
        help="check events in files before they are sent",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="where the events are; - for standard input")
    add_format(parser)
    parser.add_argument(
        "--partitions", type=positive, metavar="N", help="also check the partition, in a topic of so many"
    )
    parser.add_argument(
        "--partitioner",
        type=Partitioner,
        choices=list(Partitioner),
        default=Partitioner.MURMUR2,
        help="how the producer finds the partition: murmur2 (the default of Java's client and of aiokafka) or what "
        "librdkafka does by default, CRC32 (default: %(default)s)",
    )
    parser.add_argument("--key", metavar="TEXT", help="the key that the producer writes (default: the identity)")
    parser.add_argument("--commands", action="store_true", help="for the replays topic: verdicts are allowed")
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")
    parser.add_argument("--json", action="store_true", help="a JSON object for each event, and one of the whole")
    parser.set_defaults(command=_validate)


def add_format(parser: argparse.ArgumentParser) -> None:
    """How the files are written: an option that `worker emit` has, too."""
    parser.add_argument(
        "--format",
        type=Format,
        choices=list(Format),
        default=Format.AUTO,
        help="json: one document, an array's elements are events; jsonl: one event on each line (default: by content)",
    )


@dataclass(slots=True)
class _Summary:
    events: int = 0
    valid: int = 0
    errors: int = 0
    warnings: int = 0

    def add(self, judged: Judged) -> None:
        self.events += 1
        self.valid += judged.valid
        for finding in judged.findings:
            if finding.severity is Severity.ERROR:
                self.errors += 1
            else:
                self.warnings += 1


def _validate(arguments: argparse.Namespace) -> int:
    loaded = load_settings(arguments.env_file, Purpose.RULES)
    if loaded is None:
        return REFUSED
    rules = Rules(
        limits=Limits(reference_bytes=loaded.settings.document_max_bytes),
        partitions=arguments.partitions,
        partitioner=arguments.partitioner,
        key=None if arguments.key is None else arguments.key.encode(),
        commands=arguments.commands,
        policy=loaded.settings.rule_policy,
    )
    inputs = Inputs(arguments.files, arguments.format)
    summary, repeats = _Summary(), Repeats()
    with Reading("events") as reading:
        for item in inputs:
            judged = _with_repeat(examine(item, rules), repeats)
            summary.add(judged)
            if arguments.json:
                print(json.dumps(as_object(judged), ensure_ascii=False))
            else:
                for line in as_lines(judged):
                    print(line)
            reading.step()
    _print_summary(summary, as_json=arguments.json)
    if inputs.unreadable:
        return REFUSED
    return FAILED if summary.errors or (arguments.strict and summary.warnings) else OK


def _with_repeat(judged: Judged, repeats: Repeats) -> Judged:
    if not isinstance(judged.decoded, Event):
        return judged
    problem = repeats.look(judged.place, judged.decoded)
    return judged if problem is None else replace(judged, findings=(*judged.findings, warned(problem)))


def _print_summary(summary: _Summary, *, as_json: bool) -> None:
    invalid = summary.events - summary.valid
    if as_json:
        counts = {"events": summary.events, "valid": summary.valid, "invalid": invalid}
        print(json.dumps({"kind": "summary", **counts, "errors": summary.errors, "warnings": summary.warnings}))
        return
    print(
        f"{summary.events} events: {summary.valid} valid, {invalid} invalid; {summary.errors} errors, "
        f"{summary.warnings} warnings"
    )
