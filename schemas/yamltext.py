"""YAML of what is generated. Needs PyYAML, which only `python -m schemas` and the tests do."""

from typing import Any

import yaml


class _Plain(yaml.SafeDumper):
    """Every node in full: an alias saves bytes and costs the reader."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def dump(document: Any, head: str) -> str:
    """The document below `head`, a comment's text; keys in their order."""
    text = yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)
    return f"# {head}\n{text}"
