"""What a scraper reads from an observer, in Prometheus' text format."""

from prometheus_client.parser import text_string_to_metric_families

from worker.telemetry import catalogue as c
from worker.telemetry.metrics import PrometheusObserver


def samples(observer: PrometheusObserver) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    body, _ = observer.expose("")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def value(observer: PrometheusObserver, name: str, **labels: str) -> float:
    return samples(observer)[c.PREFIX + name, frozenset(labels.items())]
