"""The words of `/status` for people: durations, times, numbers, money. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

NOTHING: Final = "–"
MANY_BEHIND: Final = 100
"""Records behind, at the least, before it is worth a word that more arrives than is settled."""
_SOME_BEHIND: Final = 10
"""And before one partition is told not to catch up."""
_RISKS: Final = {"in_doubt": "in doubt", "dead": "in dead letters", "behind_gate": "behind the gate"}


def duration(seconds: float | None) -> str:
    """`3 d 4 h`, `2 h 5 min`, `3 min 20 s`, `7 s`; a dash for None."""
    if seconds is None:
        return NOTHING
    whole = round(seconds)
    for size, name, smaller, smaller_name in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {name}" + (f" {rest} {smaller_name}" if rest else "")
    return f"{whole} s"


def soon(seconds: float) -> str:
    """`in 7 s`; `now` where it is less than one."""
    return f"in {duration(seconds)}" if round(seconds) else "now"


def next_try(seconds: float, *, closed: bool) -> str:
    """When a try follows that is due in so many seconds; `closed`: no call goes out before the gate opens."""
    if not closed:
        return soon(seconds)
    return "when the gate opens" + (f", {soon(seconds)} at the earliest" if round(seconds) else "")


def number(value: float | None) -> str:
    """Without needless digits, thousands apart; a dash for None."""
    return NOTHING if value is None else f"{value:,.12g}".replace(",", " ")


def counted(count: int, one: str, many: str = "") -> str:
    """`1 doubt`, `3 doubts`; `many` where it is not `one` with an s."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def at(text: str, *, today: str = "") -> str:
    """A time in UTC, `2026-11-27 07:51:11 UTC`; without the date where `today` is the same. Both in ISO 8601."""
    moment = datetime.fromisoformat(text).astimezone(UTC)
    same = bool(today) and datetime.fromisoformat(today).astimezone(UTC).date() == moment.date()
    return f"{moment:%H:%M:%S} UTC" if same else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def since(text: str, now: str) -> str:
    """`07:49:02 UTC, 2 min 9 s ago`; both times in ISO 8601."""
    age = (datetime.fromisoformat(now) - datetime.fromisoformat(text)).total_seconds()
    return f"{at(text, today=now)}, {duration(max(0.0, age))} ago"


def money(at_risk: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """Of a report's `money_at_risk`: `NOK 12 345.50 in doubt, 3 invoices` for each risk and currency."""
    return [
        f"{amount(currency, sums['sum'])} {_RISKS.get(risk, risk)}, {counted(sums['invoices'], 'invoice')}"
        for risk, currencies in at_risk.items()
        for currency, sums in currencies.items()
    ]


def amount(currency: str, total: str) -> str:
    """`NOK 12 345.50`. `total`: decimal text."""
    return f"{currency} {Decimal(total):,}".replace(",", " ")


def numbers(values: Iterable[int]) -> str:
    """Whole numbers in order, runs drawn together: `0–3, 7`."""
    runs: list[list[int]] = []
    for value in sorted(values):
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


def waits_for(work: Mapping[str, Any], *, closed: bool = False) -> str:
    """What an event of a report waits for, in words; `closed`: the gate."""
    if (doubt := work.get("doubt")) is not None:
        believed, given_up = doubt["believed_in_seconds"], doubt["given_up_in_seconds"]
        return f"the reconciler; believed in {duration(believed)}, given up in {duration(given_up)}"
    if (seconds := work.get("retry_in_seconds")) is not None:
        if (creditor := work.get("paused_creditor")) is not None:
            return f"creditor {creditor}, paused after 403; looks again {next_try(seconds, closed=closed)}"
        # Documents are fetched behind a closed gate, too.
        return f"its next try {next_try(seconds, closed=closed and work.get('step') != 'fetch')}"
    if work.get("waiting_for") is None:
        return NOTHING
    return "the gate" if closed else "its turn"


def catches_up(backlog: Mapping[str, Any]) -> str:
    """When a partition will have caught up: `0 s`, `2 min`, `not at this rate`, a dash where that says nothing."""
    if (seconds := backlog.get("seconds_to_catch_up")) is not None:
        return duration(seconds)
    known = backlog.get("settled_per_second") is not None and backlog["behind"] >= _SOME_BEHIND
    return "not at this rate" if known else NOTHING
