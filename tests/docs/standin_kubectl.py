"""`kubectl`: its verbs, on the objects that the chart really renders; what `exec` is to run in a pod is run here."""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.docs.standin import Parser, wrong
from tests.ops.charts import EXAMPLES, pod_templates, render, values_of

RELEASES = ("invoice",)
"""Release names that pages print."""
THEIRS = {("secret", "kravia")}
"""Objects that pages speak of and the reader makes."""

_KINDS = {
    "deployment": "Deployment",
    "deployments": "Deployment",
    "deploy": "Deployment",
    "statefulset": "StatefulSet",
    "statefulsets": "StatefulSet",
    "sts": "StatefulSet",
    "pod": "Pod",
    "pods": "Pod",
    "po": "Pod",
    "job": "Job",
    "jobs": "Job",
    "service": "Service",
    "svc": "Service",
    "secret": "Secret",
    "secrets": "Secret",
    "configmap": "ConfigMap",
    "cm": "ConfigMap",
    "scaledobject": "ScaledObject",
    "scaledobjects": "ScaledObject",
    "pdb": "PodDisruptionBudget",
    "events": "Event",
}
_IN_THE_IMAGE = ("worker", "python", "sh", "cat", "ls", "env", "df")
"""The image is python's slim one: it has no curl, kcat or jq."""


def kubectl(words: Sequence[str]) -> int:
    """One command; its own options, and objects that are there."""
    words, inner = _cut(words)
    given = _parser().parse_args(words)
    match given.verb:
        case "exec":
            return _exec(given, inner)
        case "create":
            if given.what == "secret" and (given.more[:1] != ["generic"] or len(given.more) != 2):
                wrong("kubectl create secret generic NAME")
            for path in (pair.partition("=")[2] for pair in given.from_file):
                if not path.isupper() and not Path(path).exists():
                    wrong(f"kubectl create: no such file: {path}")
            if given.output == "yaml":
                print(f"kind: {given.what.capitalize()}\nmetadata:\n  name: {given.more[-1]}")
        case "apply":
            for path in given.filename:
                text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
                if not all(isinstance(each, dict) and "kind" in each for each in yaml.safe_load_all(text)):
                    wrong("kubectl apply: these are no objects")
        case "port-forward":
            _known(given.objects[:1])
            if not all(re.fullmatch(r"(\d+:)?8080", port) for port in given.objects[1:]):
                wrong("kubectl port-forward: the worker listens on 8080")
        case "annotate":
            pairs = [word for word in given.objects if "=" in word or word.endswith("-")]
            _known([word for word in given.objects if word not in pairs])
        case "rollout":
            _known(given.objects)
        case _:
            if getattr(given, "selector", None):
                _selects(given.selector)
            _known(given.objects or ())
    return 0


def _cut(words: Sequence[str]) -> tuple[list[str], list[str]]:
    if "--" not in words:
        return list(words), []
    at = list(words).index("--")
    return list(words[:at]), list(words[at + 1 :])


def _parser() -> Parser:
    common = Parser()
    common.add_argument("-n", "--namespace")
    parser = Parser(prog="kubectl", parents=[common])
    verbs = parser.add_subparsers(dest="verb", required=True)

    def verb(name: str, *options: str, switches: Sequence[str] = (), objects: str = "*") -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = verbs.add_parser(name, parents=[common])
        for option in options:
            command.add_argument(*option.split("|"))
        for switch in switches:
            command.add_argument(*switch.split("|"), action="store_true")
        command.add_argument("objects", nargs=objects)
        return command

    selector, container = "-l|--selector", "-c|--container"
    verb("get", selector, "-o|--output", "--sort-by", "--field-selector", switches=["-w|--watch"])
    verb("describe", selector)
    logs = ["-f|--follow", "-p|--previous", "--timestamps", "--prefix", "--all-containers"]
    verb("logs", selector, container, "--tail", "--since", switches=logs)
    verb("exec", container, switches=["-i|--stdin", "-t|--tty"])
    verb("port-forward", objects="+")
    verb("delete", selector, switches=["--ignore-not-found"])
    verb("scale", "--replicas", "--timeout", objects="+")
    verb("annotate", switches=["--overwrite"], objects="+")
    rollout = verbs.add_parser("rollout", parents=[common])
    rollout.add_argument("what", choices=("status", "restart", "undo", "history", "pause", "resume"))
    rollout.add_argument("objects", nargs="+")
    rollout.add_argument("--timeout")
    rollout.add_argument("--to-revision", type=int)
    create = verbs.add_parser("create", parents=[common])
    create.add_argument("what", choices=("secret", "namespace", "configmap"))
    create.add_argument("more", nargs="+")
    create.add_argument("--from-file", action="append", default=[])
    create.add_argument("--from-literal", action="append", default=[])
    create.add_argument("--dry-run", choices=("client", "server"))
    create.add_argument("-o", "--output")
    verb("apply", objects="*").add_argument("-f", "--filename", action="append", default=[])
    return parser


def _exec(given: Any, inner: Sequence[str]) -> int:
    _known(given.objects)
    if not inner or inner[0] not in _IN_THE_IMAGE:
        wrong(f"kubectl exec: after `--` one of {', '.join(_IN_THE_IMAGE)}: the image holds nothing else")
    return subprocess.run(inner, check=False).returncode


def _rendered() -> Iterator[tuple[str, str]]:
    """Kind and name of the objects of the examples, one after another, and of the pods that have a name."""
    for release in RELEASES:
        for example in EXAMPLES:
            for each in render(values_of(example), name=release):
                yield each["kind"], each["metadata"]["name"]
                if each["kind"] == "StatefulSet":
                    yield from (("Pod", f"{each['metadata']['name']}-{number}") for number in range(3))


def _known(objects: Sequence[str]) -> None:
    """`TYPE/NAME …`, `TYPE NAME …`, `TYPE`, or a pod's name."""
    kind = None
    for word in objects:
        text, slash, name = word.partition("/")
        if slash:
            _is_there(_kind(text), name)
        elif kind is None and text in _KINDS:
            kind = _kind(text)
        else:
            _is_there(kind or "Pod", word)


def _kind(text: str) -> str:
    if text not in _KINDS:
        wrong(f"kubectl: {text} is no kind that is known here")
    return _KINDS[text]


def _is_there(kind: str, name: str) -> None:
    if name.isupper():
        return  # the page's word for what the reader has: POD, NAME
    if (kind, name) not in _rendered() and (kind.lower(), name) not in THEIRS:
        wrong(f"kubectl: the chart renders no {kind} {name} for the release {' or '.join(RELEASES)}")


def _selects(selector: str) -> None:
    labels = {}
    for example in EXAMPLES[:1]:
        for release in RELEASES:
            for template in pod_templates(render(values_of(example), name=release)):
                labels.update(template["metadata"]["labels"])
    for pair in selector.split(","):
        name, _, value = pair.partition("=")
        if labels.get(name) != value:
            wrong(f"kubectl: the chart's pods have no label {pair}")
