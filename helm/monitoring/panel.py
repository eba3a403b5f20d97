"""Grafana panels and dashboards, as the JSON that Grafana 10 and later reads (schema version 39)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
TAG: Final = "invoice-worker"
SCOPE: Final = 'namespace=~"$namespace",job=~"$job"'
"""In every selector: which deployment the viewer chose."""
WINDOW: Final = "$__rate_interval"
_WIDTH: Final = 24


class Unit(StrEnum):
    """Grafana's names of units."""

    NUMBER = "short"
    SECONDS = "s"
    BYTES = "bytes"
    SHARE = "percentunit"
    PER_SECOND = "ops"
    BYTES_PER_SECOND = "Bps"
    CORES = "none"


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL, and what a series of it is called (Grafana's `{{label}}`). `exemplars`: a graph marks them too."""

    expression: str
    legend: str = ""
    exemplars: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `kind`: `timeseries` or `stat`; `steps`: a stat's colours, each with the value that it begins at.

    `see`: uid of the dashboard that tells more.
    """

    title: str
    description: str
    unit: Unit
    queries: Sequence[Query]
    kind: str = "timeseries"
    steps: Sequence[tuple[str, float | None]] = ()
    stacked: bool = False
    width: int = 8
    height: int = 8
    see: str = ""

    def json(self, number: int, x: int, y: int) -> dict[str, Any]:
        """The panel at this place, ids counted from 1."""
        thresholds = [{"color": color, "value": value} for color, value in self.steps or (("green", None),)]
        custom: dict[str, Any] = {"lineWidth": 1, "fillOpacity": 20 if self.stacked else 5, "showPoints": "never"}
        if self.stacked:
            custom["stacking"] = {"mode": "normal", "group": "A"}
        instant = self.kind == "stat"
        panel: dict[str, Any] = {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "datasource": SOURCE,
            "gridPos": {"h": self.height, "w": self.width, "x": x, "y": y},
            "fieldConfig": {
                "defaults": {
                    "unit": self.unit.value,
                    "min": 0,
                    "noValue": "none",
                    "thresholds": {"mode": "absolute", "steps": thresholds},
                    "custom": {} if instant else custom,
                },
                "overrides": [],
            },
            "options": _stat_options() if instant else _series_options(),
            "targets": [
                {
                    "refId": chr(ord("A") + index),
                    "datasource": SOURCE,
                    "editorMode": "code",
                    "expr": query.expression,
                    "legendFormat": query.legend or "__auto",
                    "instant": instant,
                    "range": not instant,
                }
                # Grafana asks once for a metric's, however many targets of the panel name it.
                | ({"exemplar": True} if query.exemplars and not instant else {})
                for index, query in enumerate(self.queries)
            ],
        }
        if self.see:
            panel["links"] = [{"title": "More", "url": f"/d/{self.see}?${{__url_time_range}}&${{__all_variables}}"}]
        return panel


def _stat_options() -> dict[str, Any]:
    return {
        "colorMode": "value",
        "graphMode": "none",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }


def _series_options() -> dict[str, Any]:
    return {
        "legend": {"showLegend": True, "displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


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
            "annotations": {"list": []},
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
    """The data source, and which deployments are shown: all, until the viewer chooses."""
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
    ]
