"""Alerts and dashboards as code: `python -m helm.monitoring` writes `helm/files/alerts` and `helm/files/dashboards`.

Every query names its metrics through `promql`, which looks them up in `worker.telemetry.catalogue`: a metric or a label
that the worker does not export can't get in.
"""
