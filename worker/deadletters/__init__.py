"""Dead letters: list, understand, resolve, replay. The engine; the terminal is `worker.cli`."""
