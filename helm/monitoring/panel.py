"""Grafana panels, as the JSON that Grafana 10 and later reads (schema version 39)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
SCOPE: Final = 'namespace=~"$namespace",job=~"$job"'
"""In every selector: which deployment the viewer chose."""
WINDOW: Final = "$__rate_interval"


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

    `see`: uid of the dashboard that tells more. `page`: a runbook's file name, without `.md`.
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
    page: str = ""

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
        if links := self._links():
            panel["links"] = links
        return panel

    def _links(self) -> list[dict[str, str]]:
        """The runbook's is the last: where nobody said where runbooks are, the chart takes it out."""
        links = []
        if self.see:
            links.append({"title": "More", "url": f"/d/{self.see}?${{__url_time_range}}&${{__all_variables}}"})
        if self.page:
            links.append({"title": "Runbook", "url": f"$runbooks/{self.page}.md"})
        return links


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
