"""What Kravia has and the ledger does not know, as ledger records: export-ledger's file and observed-statement's JSON.

`python gap.py LEDGER STATEMENT` prints a line for each such invoice, key and value, for
`kcat -P -t invoice.ledger -X partitioner=murmur2_random -K '\\t'`. What nobody can say for sure becomes a doubt, which
a person decides (`worker dead-letters resolve`). The sums are on stderr. Status 1: the statement is not whole.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

KNOWN = {"scheduled", "registered", "in_doubt", "discarded"}
"""States that never let a register go out; `absent` does."""


def known(ledger: str) -> set[str]:
    """The identities that the exported ledger holds back; of each the last record counts."""
    latest = dict(line.split("\t", 2)[1:] for line in ledger.splitlines())
    return {key for key, value in latest.items() if key != "!header" and json.loads(value)["state"] in KNOWN}


def at_kravia(statement: dict) -> Iterator[tuple[str, str | None]]:
    """Identities that Kravia has, each with its id, or None where it is not sure or not one."""
    for one in statement["unexplained"]:
        if one["kind"] in ("double_at_kravia", "unknown_at_kravia"):
            ids = one["invoiceIds"]
            yield one["subject"], ids[0] if one["match"] == "same" and len(ids) == 1 else None


def main(ledger: str, statement: str) -> int:
    told = json.loads(Path(statement).read_text(encoding="utf-8"))
    if told["notSettledYet"] or not told["kravia"]["complete"]:
        print("Not whole: observe mode has not seen all, or the search was not read to its end.", file=sys.stderr)
        return 1
    if not all("invoiceIds" in one for one in told["unexplained"]):
        print("It names no ids: make the statement with the worker that this script came with.", file=sys.stderr)
        return 1
    held = known(Path(ledger).read_text(encoding="utf-8"))
    found: dict[str, set[str | None]] = {}
    for identity, number in at_kravia(told):
        found.setdefault(identity, set()).add(number)
    missing = {identity: numbers for identity, numbers in sorted(found.items()) if identity not in held}
    for identity, numbers in missing.items():
        [number] = numbers if len(numbers) == 1 else [None]
        entry = {"state": "registered", "id": number} if number else {"state": "in_doubt", "doubt": 0}
        print(identity, json.dumps({"v": 1, "settled": [-1, -1], **entry}), sep="\t")
    print(f"{len(found)} at Kravia, {len(missing)} of them unknown to the ledger", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
