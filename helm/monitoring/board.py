"""Grafana dashboards: rows of panels, what the viewer may choose, and what is marked on every graph."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from helm.monitoring.alert import RUNBOOKS
from helm.monitoring.objectives import AGE, SUCCESS
from helm.monitoring.panel import SCOPE, SOURCE, WINDOW, Panel
from helm.monitoring.promql import LOSSES, counted, increase, series, summed
from worker.telemetry import catalogue as c

TAG: Final = "invoice-worker"
CONSTANTS: Final = {
    "goal_success": f"{SUCCESS.goal:g}",
    "goal_age": f"{AGE.goal:g}",
    "age_limit": f"{AGE.limit}",
    "runbooks": RUNBOOKS,
}
"""Variables that nobody chooses: the chart puts its `objectives` and `alerts.runbookUrl` in their place."""
_WIDTH: Final = 24


@dataclass(frozen=True, slots=True)
class Row:
    """A heading and its panels, laid out from left to right."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """`uid` never changes: links and bookmarks hold it."""

    uid: str
    title: str
    description: str
    rows: Sequence[Row] = field(default=())

    def json(self) -> dict[str, Any]:
        """What Grafana imports."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": [TAG],
            "schemaVersion": 39,
            "version": 1,
            "editable": True,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"},
            "timezone": "",
            "links": [
                {
                    "type": "dashboards",
                    "title": "Invoice worker",
                    "tags": [TAG],
                    "asDropdown": True,
                    "includeVars": True,
                    "keepTime": True,
                }
            ],
            "annotations": {"list": _annotations()},
            "templating": {"list": _variables()},
            "panels": self._laid_out(),
        }

    def _laid_out(self) -> list[dict[str, Any]]:
        panels: list[dict[str, Any]] = []
        y = 0
        for row in self.rows:
            place = {"h": 1, "w": _WIDTH, "x": 0, "y": y}
            panels.append(
                {"id": len(panels) + 1, "type": "row", "title": row.title, "collapsed": False, "gridPos": place}
                | {"panels": []}
            )
            x, y, height = 0, y + 1, 0
            for panel in row.panels:
                if x + panel.width > _WIDTH:
                    x, y, height = 0, y + height, 0
                panels.append(panel.json(len(panels) + 1, x, y))
                x, height = x + panel.width, max(height, panel.height)
            y += height
        return panels


def _variables() -> list[dict[str, Any]]:
    """The data source, and which deployments are shown: all, until the viewer chooses. Then the constants."""
    source = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0}
    return [
        source,
        *(
            {
                "name": name,
                "label": label,
                "type": "query",
                "datasource": SOURCE,
                "definition": query,
                "query": {"query": query, "refId": name},
                "refresh": 2,
                "sort": 1,
                "multi": True,
                "includeAll": True,
                # Also where the scraper adds no such label.
                "allValue": ".*",
                "current": {"text": ["All"], "value": ["$__all"]},
            }
            for name, label, query in (
                ("namespace", "Namespace", "label_values(invoice_worker_build_info, namespace)"),
                ("job", "Job", 'label_values(invoice_worker_build_info{namespace=~"$namespace"}, job)'),
            )
        ),
        *(
            {"name": name, "query": value, "type": "constant", "hide": 2, "skipUrlSync": True}
            for name, value in CONSTANTS.items()
        ),
    ]


def _annotations() -> list[dict[str, Any]]:
    """What else changed when a graph bends: a new version, partitions that were lost."""
    builds = counted(series(c.BUILD, scope=SCOPE), "version")
    before = counted(f"{series(c.BUILD, scope=SCOPE)} offset 5m", "version")
    lost = summed(increase(series(c.OWNERSHIP_CHANGES, scope=SCOPE, change=LOSSES), WINDOW), "change")
    return [
        {
            "name": name,
            "datasource": SOURCE,
            "enable": True,
            "hide": False,
            "iconColor": color,
            "expr": expression,
            "titleFormat": title,
        }
        for name, color, expression, title in (
            ("New versions", "blue", f"{builds}\nunless {before}", "Version {{version}} started"),
            ("Lost partitions", "orange", f"{lost} > 0", "Partitions lost: {{change}}"),
        )
    ]
