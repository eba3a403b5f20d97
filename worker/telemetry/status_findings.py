"""What is wrong in a report of `/status`, the worst first, and what to do about it. Pure.

The runbooks say more: each finding names its page. What a finding says of an event is its identity, nothing else.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from worker.telemetry.labels import gate_why
from worker.telemetry.status_words import MANY_BEHIND, amount, counted, duration, next_try, numbers, since, soon

_RUNBOOKS: Final = "docs/runbooks"
_OLD: Final = 1800.0
"""Seconds: as in the alert InvoiceWorkerOldestEvent."""

Level = Literal["act", "look", "know"]
"""Something is broken, or stands still; a person has to do something, not tonight; it mends itself."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` is the matter, what to `do`; a `command` of ours and the `runbook`'s path, where one helps."""

    level: Level
    what: str
    do: str
    command: str | None = None
    runbook: str | None = None


_GATE: Final[Mapping[str, tuple[str, str]]] = {
    "unauthorized": (
        "Have a new token issued. With KRAVIA_TOKEN_FILE write it there: no restart. With KRAVIA_TOKEN: restart.",
        "token-rejected",
    ),
    "redirect": ("The API redirects, and redirects are not followed: correct KRAVIA_BASE_URL, restart.", "gate-closed"),
    "not_found": ("There is no API at that address: correct KRAVIA_BASE_URL, restart.", "gate-closed"),
    "forbidden": ("The token may have lost its rights: have them put right.", "gate-closed"),
    "failures": ("Tell Kravia, and wait: it opens by itself when Kravia answers again.", "gate-closed"),
    "no_id": ("Set KRAVIA_ID_POINTER to the field that holds the id, restart.", "gate-closed"),
}

_PROXY: Final = (
    "The proxy before Kravia (KRAVIA_PROXY) is away or refuses us; the doctor says which, and what to do. It opens by "
    "itself when there is a way again; a corrected KRAVIA_PROXY needs a restart."
)


def findings(report: Mapping[str, Any]) -> list[Finding]:
    """Of a report of `worker.status.Status`; empty when all is well. One of an older worker may lack keys."""
    found = [*_process(report), *_doubles(report), *_gate(report), *_intake(report), *_invoices(report)]
    order: list[Level] = ["act", "look", "know"]
    return sorted(found, key=lambda finding: order.index(finding.level))


def _process(report: Mapping[str, Any]) -> Iterator[Finding]:
    for problem in report.get("dead", []):
        yield Finding(
            "act", f"This process is dead: {problem}", "Its liveness probe fails. Is it not restarted? Stop it."
        )
    if report.get("observing"):
        yield Finding(
            "know",
            "It only observes: it calls nobody and bills nothing",
            "Nothing, if that is meant.",
            runbook=_runbook("observing"),
        )


def _doubles(report: Mapping[str, Any]) -> Iterator[Finding]:
    where = {
        part["partition"]: count for part in report["partitions"] if (count := part.get("possible_double_registers"))
    }
    if where:
        yield Finding(
            "act",
            f"{counted(sum(where.values()), 'invoice')} may be billed twice ({_partitions(where).lower()})",
            "Look them up at Kravia and have the surplus ones credited there. Never delete the ledger.",
            runbook=_runbook("possible-double-register"),
        )


def _gate(report: Mapping[str, Any]) -> Iterator[Finding]:
    gate = report["gate"]
    if gate["state"] == "closed":
        do, page = _GATE.get(gate_why(gate["state"], gate["why"]), ("Look at what Kravia answers.", "gate-closed"))
        if "not_sent_proxy_" in gate["why"].rpartition("; probe: ")[2]:
            do, page = _PROXY, "gate-closed"
        began = f" since {since(gate['since'], report['at'])}" if "since" in gate else ""
        yield Finding(
            "act",
            f"The gate to Kravia is closed{began}: {gate['why']}",
            f"No invoice is billed; events wait, nothing is lost. {do}",
            "worker doctor",
            _runbook(page),
        )
    for paused in report.get("paused_creditors", []):
        yield Finding(
            "look",
            f"Kravia answers 403 for creditor {paused['creditor']}: paused, next try "
            f"{next_try(paused['next_try_in_seconds'], closed=gate['state'] == 'closed')}",
            "Have the token's rights for it put right. Its events wait; when their time is up they fail as forbidden, "
            "and can be replayed.",
            "worker dead-letters list --reason forbidden",
            _runbook("dead-letters"),
        )


def _intake(report: Mapping[str, Any]) -> Iterator[Finding]:
    if (problem := report.get("not_member")) is not None:
        away = problem.startswith("the group's coordinator")
        yield Finding(
            "act",
            f"It handles nothing: {problem}",
            "Look at the brokers: it goes on by itself." if away else "Wait. When it lasts: do members come and go?",
            "worker doctor",
            _runbook("kafka-unreachable" if away else "not-in-group"),
        )
    by_why = defaultdict(list)
    for partition in report.get("not_served", []):
        by_why[partition["why"]].append(partition["partition"])
    for why, partitions in by_why.items():
        lost = why.startswith("lost")
        yield Finding(
            "act" if lost else "know",
            f"{_partitions(partitions)} not served: {why}",
            "Their events wait. " + ("It starts over by itself; look when it repeats." if lost else "Wait."),
            "worker topics check" if lost else None,
            _runbook("partition-stuck" if lost else "restore-slow"),
        )
    if not (report["partitions"] or report.get("not_served") or problem):
        yield Finding(
            "know",
            "No partition is owned",
            "It stands by while other processes of its group own them all. If none does:",
            runbook=_runbook("nothing-owned"),
        )
    behind = {part["partition"]: part["backlog"]["behind"] for part in report["partitions"] if _falls_behind(part)}
    if sum(behind.values()) >= MANY_BEHIND and report["gate"]["state"] == "open":
        yield Finding(
            "look",
            f"{_partitions(behind)}: more arrives than is settled",
            "See what its events wait for, below.",
            runbook=_runbook("age-burn"),
        )


def _falls_behind(partition: Mapping[str, Any]) -> bool:
    backlog = partition.get("backlog") or {}
    settled, arriving = backlog.get("settled_per_second"), backlog.get("arriving_per_second")
    return settled is not None and arriving is not None and bool(arriving > settled)


def _invoices(report: Mapping[str, Any]) -> Iterator[Finding]:
    left = sum(part.get("ledger", {}).get("in_doubt", 0) for part in report["partitions"])
    if left:
        yield Finding(
            "look",
            f"{counted(left, 'invoice waits', 'invoices wait')} for a person's verdict: at Kravia or not, nobody knows",
            "Look each up at Kravia; the runbook says how to write down what you found.",
            "worker dead-letters list --reason in_doubt",
            _runbook("doubt-left-to-person"),
        )
    for part in report["partitions"]:
        oldest = part.get("oldest")
        if oldest and part["oldest_seconds"] > _OLD and not part["doubts"] and report["gate"]["state"] == "open":
            yield Finding(
                "look",
                f"{oldest['record']} has been under way for {duration(part['oldest_seconds'])}",
                "Nothing retries for so long: look at what it waits for.",
                f"worker why {oldest['record']}",
                _runbook("oldest-event"),
            )
    if dead := report.get("money_at_risk", {}).get("dead"):
        sums = ", ".join(amount(currency, total["sum"]) for currency, total in dead.items())
        yield Finding(
            "look",
            f"{counted(sum(total['invoices'] for total in dead.values()), 'invoice')} ended as dead letters: {sums}",
            "Each waits for an operator: mend the cause, then replay.",
            "worker dead-letters groups",
            _runbook("dead-letters"),
        )
    doubts = [work["doubt"] for part in report["partitions"] for work in part["doubts"]]
    if doubts:
        first = min(doubt["believed_in_seconds"] for doubt in doubts)
        count = sum(part["unfinished"].get("doubt", 0) for part in report["partitions"])  # not all of them are listed
        yield Finding(
            "know",
            f"{counted(count, 'register call')} without a known answer: being looked for in Kravia's search",
            f"Wait: what a search shows is believed {soon(first)} at the earliest. A restart begins the waits anew.",
            runbook=_runbook("doubt-old"),
        )


def _partitions(partitions: Mapping[int, int] | list[int]) -> str:
    return ("Partition " if len(partitions) == 1 else "Partitions ") + numbers(partitions)


def _runbook(page: str) -> str:
    return f"{_RUNBOOKS}/{page}.md"
