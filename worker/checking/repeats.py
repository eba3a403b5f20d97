"""Invoices that come again with another content, among the latest of a run. Pure, bounded."""

import hashlib
from collections import OrderedDict
from typing import Final

from worker.checking.items import Place
from worker.model import Event, Problem

REMEMBERED: Final = 20_000
"""Invoices that are remembered: a few megabytes. Of a longer run the earliest are forgotten."""


class Repeats:
    """Remembers digests of invoices and of their register bodies."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._seen: OrderedDict[bytes, tuple[bytes, Place]] = OrderedDict()

    def look(self, place: Place, event: Event) -> Problem | None:
        """A warning when this invoice came before with another register body: the worker would reject this one."""
        invoice = _digest(event.identity)
        body = _digest("\0".join(f"{name}\0{text}" for name, text in sorted(event.fields.items())))
        known = self._seen.setdefault(invoice, (body, place))
        if len(self._seen) > self._remembered:
            self._seen.popitem(last=False)
        if known[0] == body:
            return None
        sentence = f"This invoice came before, with another content ({known[1]}): it would end rejected as conflict."
        return Problem("", "repeated_identity", sentence)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
