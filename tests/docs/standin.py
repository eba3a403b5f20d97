"""What the stand-ins share."""

import argparse
import sys
from typing import Never

WRONG = 64
"""Exit status for wrong usage (EX_USAGE of sysexits.h)."""


def wrong(text: str) -> Never:
    """End, and say why."""
    print(text, file=sys.stderr)
    sys.exit(WRONG)


class Parser(argparse.ArgumentParser):
    """An argument parser that takes no abbreviations and ends with WRONG."""

    def __init__(self, **options: object) -> None:
        super().__init__(**{"allow_abbrev": False, "add_help": False, **options})  # type: ignore[arg-type]

    def error(self, message: str) -> Never:
        wrong(f"{self.prog}: {message}")
