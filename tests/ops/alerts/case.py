"""What each alert is tried with: series, and whether it fires.

A series is written as promtool's test files write it: `metric{labels}` and values such as `0+1x60` (from 0, 60 steps
of 1).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_COUNT = "count by (alertname, job, instance, partition, reason, why, change, state)"
POD = 'job="worker",instance="a:8080"'


@dataclass(frozen=True, slots=True)
class Case:
    """After `minutes` of `series` the alert `name` fires once for each of `fires` (labels), and for nothing else.

    `step`: minutes between two values; the same in all cases of an alert.
    """

    name: str
    why: str
    series: Mapping[str, str]
    minutes: int
    fires: tuple[Mapping[str, str], ...] = field(default=())
    step: int = 1

    def __str__(self) -> str:
        return f"{self.name}-{'fires' if self.fires else 'silent'}-{self.why.replace(' ', '-')}"


def sample(metric: str, values: str, **labels: str) -> tuple[str, str]:
    """A series of one process."""
    more = "".join(f',{name}="{value}"' for name, value in labels.items())
    return f"invoice_worker_{metric}{{{POD}{more}}}", values


def trial(rules: list[str], cases: list[Case]) -> dict[str, Any]:
    """promtool's test file. What fires is read from ALERTS, so that texts may change without the tests."""
    return {
        "rule_files": rules,
        "evaluation_interval": f"{cases[0].step}m",
        "tests": [
            {
                "name": str(case),
                "interval": f"{case.step}m",
                "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
                "promql_expr_test": [
                    {
                        "expr": f'{_COUNT} (ALERTS{{alertname="{case.name}",alertstate="firing"}})',
                        "eval_time": f"{case.minutes}m",
                        "exp_samples": [
                            {"labels": _selector({"alertname": case.name, **labels}), "value": 1}
                            for labels in case.fires
                        ],
                    }
                ],
            }
            for case in cases
        ],
    }


def _selector(labels: Mapping[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
