"""Dashboard queries as Prometheus takes them: Grafana's variables filled in."""


def plain(expression: str, interval: str = "15s", span: str = "5m") -> str:
    """The query with all deployments chosen. `interval`: `$__rate_interval`; `span`: the time range shown."""
    filled = expression.replace("$__rate_interval", interval).replace("$__range", span)
    return filled.replace("$namespace", ".*").replace("$job", ".*")
