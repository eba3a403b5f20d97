"""The command line: one module for each command, what they share in `common`, the parser in `program`."""

from worker.cli.program import main

__all__ = ["main"]
