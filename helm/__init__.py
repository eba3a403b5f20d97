"""The chart, and the code that writes what it knows of settings, metrics and alerts, and packages it."""
