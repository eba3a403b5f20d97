"""Exemplars: which event a counter or a histogram counted, for who drills down from a graph to one event.

`topic`, `partition` and `offset` are what `worker why` takes; `trace_id` and `span_id` are there where the event has a
trace that somebody records. Nothing else of an event: no identity, no event id.

OpenMetrics 1.0 ("Exemplars"): the names and values of the label set have at most 128 characters together. The client
refuses a longer one, so what is least needed is left out: first the span, which its trace shows, then the topic, one
of two inputs. The rest has 112 characters at the most, with a 32-bit partition and a 64-bit offset.
"""

from collections.abc import Hashable
from typing import Final

from worker.exemplar import Exemplar, current

MOST: Final = 128
_SAMPLED: Final = 0x01


class Exemplars:
    """One for each series in each scrape: the first event that it counted since the former scrape.

    A scraper sees one alone, and the client's check of its labels costs more than the count itself.
    """

    def __init__(self) -> None:
        self._named: set[Hashable] = set()

    def take(self, series: Hashable) -> dict[str, str] | None:
        """The labels of the event that is measured for; None: there is none, or the series has one already."""
        if series in self._named:
            return None
        found = labels(current())
        if found is not None:
            self._named.add(series)
        return found

    def scraped(self) -> None:
        """Each series may name another event."""
        self._named.clear()


def labels(exemplar: Exemplar | None) -> dict[str, str] | None:
    """The labels; None where there is no event."""
    if exemplar is None:
        return None
    topic, partition, offset = exemplar.origin
    trace_id, span_id = _recorded(exemplar.traceparent)
    found: dict[str, str] = {}
    room = MOST
    for name, value in (
        ("partition", str(partition)),
        ("offset", str(offset)),
        ("trace_id", trace_id),
        ("topic", topic),
        ("span_id", span_id),
    ):
        size = len(name) + len(value)
        if value and size <= room:
            found[name] = value
            room -= size
    return found


def _recorded(traceparent: str | None) -> tuple[str, str]:
    """Trace and span, where somebody records the trace: the link to another one leads nowhere."""
    if traceparent is None:
        return "", ""
    _, trace_id, span_id, flags = traceparent.split("-")
    recorded = int(flags, 16) & _SAMPLED and trace_id.strip("0")
    return (trace_id, span_id) if recorded else ("", "")
