"""One alert, and a file of Prometheus rules made of many.

`Pace` makes the variant that a run of a minute can check: every window, wait and age divided by the same number.

What operators adapt without changing a rule stands in expressions and descriptions as a placeholder: `@threshold@` is
the alert's own bound, `@goal@`, `@percent@` and `@limit@` are
its objective's. The files hold the defaults; the chart fills in its
values instead (`helm/files/alerts.json`, `templates/_alerts.tpl`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import yaml

from helm.monitoring.objectives import Objective

RUNBOOKS: Final = "docs/runbooks"
"""Below the repository's root. The chart's `alerts.runbookUrl` goes in its place: a pager needs a link to click."""
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
    """`template`: the expression, with placeholders. `lasting`: how long it must hold. `page`: the runbook's file name,
    without `.md`. `choices`: the only thresholds that will do, since a histogram has no others."""

    name: str
    template: str
    severity: str
    summary: str
    description: str
    page: str
    lasting: timedelta = timedelta(0)
    labels: Mapping[str, str] = field(default_factory=dict)
    threshold: float | None = None
    choices: Sequence[int] = ()
    objective: Objective | None = None

    @property
    def expression(self) -> str:
        """PromQL."""
        return self._filled(self.template)

    def rule(self, pace: Pace) -> dict[str, Any]:
        """The rule as Prometheus reads it."""
        rule: dict[str, Any] = {"alert": self.name, "expr": self.expression}
        if self.lasting:
            rule["for"] = pace.span(self.lasting)
        rule["labels"] = {"severity": self.severity, **self.labels}
        rule["annotations"] = {
            "summary": self.summary,
            "description": self._filled(self.description),
            "runbook_url": f"{RUNBOOKS}/{self.page}.md",
        }
        return rule

    def adjustable(self) -> dict[str, Any] | None:
        """What the chart needs to fill in other values; None: there is nothing to fill in."""
        if self.threshold is None and self.objective is None:
            return None
        own = {"threshold": self.threshold} if self.objective is None else {"objective": self.objective.name}
        return own | {"expr": self.template, "description": self.description}

    def _filled(self, text: str) -> str:
        values = {"threshold": self.threshold}
        if self.objective is not None:
            goal = self.objective.goal
            values |= {"goal": goal, "percent": 100 * goal, "limit": self.objective.limit}
        for name, value in values.items():
            if value is not None:
                text = text.replace(f"@{name}@", f"{value:g}")
        return text


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
