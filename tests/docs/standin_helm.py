"""`helm`: its commands as far as they are about values; the chart is rendered by Helm's engine."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import helm_python
import yaml

from tests.docs.standin import Parser, wrong
from tests.ops.charts import CHART, Values, texts


def helm(words: Sequence[str]) -> int:
    """`install`, `upgrade`, `template`, `lint` render with the given values; the others only read their options."""
    given = _parser().parse_args(words)
    match given.verb:
        case "install" | "upgrade" | "template" | "lint":
            _is_ours(given.chart)
            return _render(given)
        case "show":
            _is_ours(given.chart)
            print((CHART / "values.yaml").read_text(encoding="utf-8"))
        case _:
            pass
    return 0


def _parser() -> Parser:
    parser = Parser(prog="helm")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("install", "upgrade", "template", "lint"):
        command = verbs.add_parser(verb)
        command.add_argument("-f", "--values", action="append", default=[])
        command.add_argument("--set", action="append", default=[])
        command.add_argument("--set-string", action="append", default=[])
        for option in ("--version", "--timeout"):
            command.add_argument(option)
        command.add_argument("-n", "--namespace", default="default")
        switches = [
            "--wait",
            "--atomic",
            "--create-namespace",
            "--reuse-values",
            "--reset-then-reuse-values",
            "--dry-run",
        ]
        for switch in [*switches, *(["--install", "-i"] if verb == "upgrade" else [])]:
            command.add_argument(switch, action="store_true")
        if verb != "lint":
            command.add_argument("release")
        command.add_argument("chart")
    show = verbs.add_parser("show")
    show.add_argument("what", choices=("values", "chart", "readme"))
    show.add_argument("chart")
    show.add_argument("--version")
    for verb in ("uninstall", "history", "rollback", "status"):
        command = verbs.add_parser(verb)
        command.add_argument("release")
        command.add_argument("-n", "--namespace")
        command.add_argument("--wait", action="store_true")
        if verb == "rollback":
            command.add_argument("revision", nargs="?", type=int)
    test = verbs.add_parser("test")
    test.add_argument("release")
    test.add_argument("-n", "--namespace")
    test.add_argument("--logs", action="store_true")
    get = verbs.add_parser("get")
    get.add_argument("what", choices=("values", "manifest", "notes", "all"))
    get.add_argument("release")
    get.add_argument("-n", "--namespace")
    get.add_argument("-o", "--output")
    for verb in ("pull", "push"):
        command = verbs.add_parser(verb)
        command.add_argument("chart", nargs="+")
        command.add_argument("--version")
    return parser


def _is_ours(chart: str) -> None:
    if Path(chart) != Path("helm") and not re.fullmatch(r"oci://\S+/kravia-invoice-worker", chart):
        wrong(f"helm: {chart} is not this repository's chart: helm, or oci://…/kravia-invoice-worker")


def _render(given: Any) -> int:
    values: Values = {}
    for name in given.values:
        _merge(values, yaml.safe_load(Path(name).read_text(encoding="utf-8")))
    if given.verb == "upgrade" and (given.reuse_values or given.reset_then_reuse_values):
        kept: Values = yaml.safe_load((CHART / "ci" / "minimal-values.yaml").read_text(encoding="utf-8"))
        _merge(kept, values)
        values = kept
    for pair in given.set:
        _put(values, pair, _scalar)
    for pair in given.set_string:
        _put(values, pair, str)
    release = getattr(given, "release", "lint")
    try:
        rendered = texts(values, name=release, namespace=given.namespace)
    except helm_python.HelmError as error:
        wrong(f"helm {given.verb}: {error}")
    if given.verb == "template":
        print("\n---\n".join(rendered.values()))
    return 0


def _scalar(text: str) -> object:
    return {"true": True, "false": False, "null": None}.get(text, int(text) if re.fullmatch(r"-?\d+", text) else text)


def _put(values: Values, pair: str, read: Any) -> None:
    """`a.b=c` of --set; dots in a name are escaped with a backslash."""
    for one in re.split(r"(?<!\\),", pair):
        path, _, text = one.partition("=")
        *parents, last = (part.replace(r"\.", ".") for part in re.split(r"(?<!\\)\.", path))
        place = values
        for name in parents:
            place = place.setdefault(name, {})
        place[last] = read(text)


def _merge(into: Values, values: Values) -> None:
    for name, value in (values or {}).items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value
