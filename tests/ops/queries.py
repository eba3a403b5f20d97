"""Dashboard queries as Prometheus takes them: Grafana's variables filled in."""

from helm.monitoring.board import CONSTANTS


def plain(expression: str, interval: str = "15s", span: str = "5m") -> str:
    """The query with all deployments chosen. `interval`: `$__rate_interval`; `span`: the time range shown."""
    filled = expression.replace("$__rate_interval", interval).replace("$__range", span)
    for name, value in CONSTANTS.items():
        filled = filled.replace(f"${name}", value)
    return filled.replace("$namespace", ".*").replace("$job", ".*")
