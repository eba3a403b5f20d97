"""Exemplars as a scrape shows them, and a record and a trace that they may name."""

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from worker.model import Coordinates
from worker.telemetry import catalogue as c

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
"""What Prometheus asks for, in short."""
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00"
EVENT = Coordinates("invoice.requests", 3, 1234)
PLACE = {"topic": "invoice.requests", "partition": "3", "offset": "1234"}


def exemplars(observer):
    """(metric, its labels) → the exemplar's labels."""
    body, content_type = observer.expose(OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    return {
        (family.name.removeprefix(c.PREFIX), *(v for k, v in sorted(sample.labels.items()) if k != "le")): dict(
            sample.exemplar.labels
        )
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
        if sample.exemplar
    }
