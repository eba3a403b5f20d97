"""The top of the status page: what is asked first, at a glance. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final, NamedTuple

from worker.telemetry.status_words import NOTHING, duration, money, number, since, soon

_GATE_TONES: Final = {"open": "good", "closed": "act"}


class _Tile(NamedTuple):
    """A name, one big line, small lines below; `tone`: its colour, a class of the stylesheet."""

    name: str
    line: str
    small: Sequence[str] = ()
    tone: str = ""


def tiles(report: Mapping[str, Any]) -> Iterator[str]:
    """HTML for a report of `worker.status.Status`."""
    yield "<dl>"
    for name, line, small, tone in (_gate(report), *_partitions(report), *_trouble(report)):
        toned = f' class="{tone}"' if tone else ""
        below = "".join(f"<small>{escape(text)}</small>" for text in small)
        yield f"<div{toned}><dt>{name}</dt><dd>{escape(line)}{below}</dd></div>"
    yield "</dl>"


def _gate(report: Mapping[str, Any]) -> _Tile:
    gate = report["gate"]
    small = [f"since {since(gate['since'], report['at'])}"]
    if (probe := gate["next_probe_in_seconds"]) is not None:
        small.append(f"next probe {soon(probe)}")
    return _Tile("Gate to Kravia", gate["state"].replace("_", "-"), small, _GATE_TONES.get(gate["state"], "look"))


def _partitions(report: Mapping[str, Any]) -> Iterator[_Tile]:
    partitions, unserved = report["partitions"], len(report["not_served"])
    yield _Tile(
        "Partitions",
        f"{len(partitions)} owned",
        [f"{unserved} not served"] if unserved else [],
        "act" if unserved else "",
    )
    backlogs = [partition["backlog"] for partition in partitions if partition["backlog"]]
    behind = number(sum(backlog["behind"] for backlog in backlogs)) if backlogs else NOTHING
    yield _Tile(
        "Behind",
        behind,
        [
            f"{_rate(backlogs, 'settled_per_second')} settled",
            f"{_rate(backlogs, 'arriving_per_second')} arriving",
        ],
    )
    oldest = [partition["oldest_seconds"] for partition in partitions if partition["oldest"]]
    yield _Tile("Oldest under way", duration(max(oldest, default=None)))


def _rate(backlogs: Sequence[Mapping[str, Any]], name: str) -> str:
    known = [backlog[name] for backlog in backlogs if backlog[name] is not None]
    return f"{number(round(sum(known), 1)) if known else NOTHING}/s"


def _trouble(report: Mapping[str, Any]) -> Iterator[_Tile]:
    partitions = report["partitions"]
    left = sum(partition["ledger"]["in_doubt"] for partition in partitions)
    doubts = sum(partition["unfinished"].get("doubt", 0) for partition in partitions)
    yield _Tile(
        "Doubts",
        f"{number(doubts)} being reconciled" if doubts else "none",
        [f"{number(left)} left to a person"] if left else [],
        "look" if left else "",
    )
    at_risk = money(report["money_at_risk"])
    yield _Tile("Money at risk", "" if at_risk else "none", at_risk, "look" if at_risk else "")
