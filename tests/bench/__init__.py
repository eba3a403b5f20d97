"""What the worker adds to bare HTTP calls: `python -m tests.bench`. Nothing here is a test; it has no thresholds."""
