"""Metrics, logs and the health server: what operations see of the worker. The composition root wires them."""
