"""One alert, and a file of Prometheus rules made of many.

`Pace` makes the variant that a run of a minute can check: every window, wait and age divided by the same number.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import yaml

RUNBOOKS: Final = "docs/runbooks"
"""Below the repository's root; whoever installs the rules may put the address of the repository before it."""
CRITICAL, WARNING = "critical", "warning"
_SHORTEST = 4.0
"""Seconds: `rate` needs two samples, and the check scrapes every second."""


class _Blocks(yaml.SafeDumper):
    """Writes texts of several lines, which queries are, as they are read."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Blocks.add_representer(str, _text)


@dataclass(frozen=True, slots=True)
class Pace:
    """How much faster than in earnest; 1 is what is shipped."""

    factor: float = 1.0

    def seconds(self, span: timedelta) -> float:
        """An age or a threshold, in seconds."""
        return span.total_seconds() / self.factor

    def span(self, span: timedelta) -> str:
        """A duration in PromQL's words."""
        seconds = span.total_seconds()
        if self.factor != 1.0:
            return f"{max(_SHORTEST, round(seconds / self.factor)):.0f}s"
        for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
            if seconds % size == 0:
                return f"{seconds / size:.0f}{unit}"
        return f"{seconds:.0f}s"


@dataclass(frozen=True, slots=True)
class Alert:
    """`lasting`: how long the expression must hold. `page` is the runbook's file name, without `.md`."""

    name: str
    expression: str
    severity: str
    summary: str
    description: str
    page: str
    lasting: timedelta = timedelta(0)
    labels: Mapping[str, str] = field(default_factory=dict)

    def rule(self, pace: Pace) -> dict[str, Any]:
        """The rule as Prometheus reads it."""
        rule: dict[str, Any] = {"alert": self.name, "expr": self.expression}
        if self.lasting:
            rule["for"] = pace.span(self.lasting)
        rule["labels"] = {"severity": self.severity, **self.labels}
        rule["annotations"] = {
            "summary": self.summary,
            "description": self.description,
            "runbook_url": f"{RUNBOOKS}/{self.page}.md",
        }
        return rule


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts of one file."""

    name: str
    alerts: tuple[Alert, ...]


def rules_text(groups: Iterable[Group], pace: Pace) -> str:
    """A file of rules, YAML."""
    interval = {} if pace.factor == 1.0 else {"interval": "1s"}
    content = {
        "groups": [
            {"name": group.name, **interval, "rules": [alert.rule(pace) for alert in group.alerts]} for group in groups
        ]
    }
    return yaml.dump(content, Dumper=_Blocks, sort_keys=False, width=1_000, allow_unicode=True)
