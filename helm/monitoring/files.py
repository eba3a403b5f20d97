"""Every generated file: its path and its text."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from helm.monitoring.alert import Alert, Group, Pace, rules_text
from helm.monitoring.alerts_money import MONEY_GROUP, money, money_limit
from helm.monitoring.alerts_runtime import runtime
from helm.monitoring.alerts_service import service
from helm.monitoring.board import Dashboard
from helm.monitoring.kafka import kafka
from helm.monitoring.letters import letters
from helm.monitoring.overview import overview
from helm.monitoring.steps import steps

FILES: Final = Path(__file__).parents[1] / "files"
_HEAD: Final = "# Made by `make ops` from helm/monitoring; tests/ops holds the two together.\n"


def alert_groups(pace: Pace) -> Mapping[str, list[Group]]:
    """The rule groups of each file, by the file's name."""
    return {"service": service(pace), "money": money(pace), "runtime": runtime(pace)}


def alert_files(pace: Pace = Pace()) -> Mapping[str, str]:  # noqa: B008 -- frozen
    """The files of rules, by name."""
    return {f"{name}.yaml": _HEAD + rules_text(groups, pace) for name, groups in alert_groups(pace).items()}


def alerts() -> list[Alert]:
    """All of them, as they are shipped. The one for limits of money is not: there are none by default."""
    return [alert for groups in alert_groups(Pace()).values() for group in groups for alert in group.alerts]


def dashboards() -> list[Dashboard]:
    """All of them, the first one first."""
    return [overview(), steps(), letters(), kafka()]


def generated() -> Mapping[Path, str]:
    """What `make ops` writes."""
    files = {FILES / "alerts" / name: text for name, text in alert_files().items()}
    adjustable = {alert.name: filled for alert in alerts() if (filled := alert.adjustable()) is not None}
    limit = money_limit()
    adjustable[limit.name] = {"group": MONEY_GROUP, "rule": limit.rule(Pace())}
    files[FILES / "alerts.json"] = _json(adjustable)
    for dashboard in dashboards():
        files[FILES / "dashboards" / f"{dashboard.uid}.json"] = _json(dashboard.json())
    return files


def _json(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
