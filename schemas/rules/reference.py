"""The table in `docs/reference/rules.md`, made from the catalogue: `python -m schemas.rules.reference` prints it."""

import sys

from schemas.rules.catalogue import RULES, Rule


def setting(rule: Rule) -> str:
    """The environment variable that says what the rule does."""
    return f"RULE_{rule.code.upper()}"


def table() -> str:
    """Markdown, a row for each rule."""
    rows = [f"| `{rule.code}` | {rule.default} | {rule.sentence} | {rule.why} | {rule.suggestion} |" for rule in RULES]
    return "\n".join(["| code | default | the rule | why | do |", "| --- | --- | --- | --- | --- |", *rows, ""])


if __name__ == "__main__":
    sys.stdout.write(table())
