"""The process itself."""

from worker.telemetry.catalogue.metric import Kind, Metric, metric
from worker.telemetry.labels import Label

OBSERVING = metric("observing", Kind.GAUGE, "1 in observe mode, which bills nothing; else 0.")
BUILD = metric("build_info", Kind.GAUGE, "Always 1; the label names the worker's version.", Label("version"))

METRICS: tuple[Metric, ...] = (
    OBSERVING,
    BUILD,
)
