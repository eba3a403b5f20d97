"""Requests that break no rule but what a test changes."""

import json
from copy import deepcopy
from decimal import Decimal
from pathlib import Path

from schemas.events import InvoiceRequest, check
from schemas.rules import RULES, Action, RulePolicy, judge

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
ALL_WARN = RulePolicy({rule.code: Action.WARN for rule in RULES})


def data(name="invoice", *, address=None, **changes):
    """An example's data with `changes` of invoice fields; `address`: changes of address fields."""
    made = deepcopy(json.loads((EXAMPLES / f"invoice-requested.{name}.json").read_text("utf-8"), parse_float=Decimal))
    made["invoice"] |= {"accountingInvoiceId": "A-1"} | changes
    if address is not None:
        made["invoice"]["postalAddress"] |= address
    return made


def request(name="invoice", **changes):
    made = check(data(name, **changes))
    assert isinstance(made, InvoiceRequest), made
    return made


def line(price, count, total, discount=None):
    made = {"description": "x", "unitPrice": Decimal(price), "count": Decimal(count), "total": Decimal(total)}
    return made if discount is None else made | {"discountInPercent": Decimal(discount)}


def broken(name="invoice", *, policy=ALL_WARN, **changes):
    """Pointers (below /invoice) and codes of what is found."""
    judged = judge(request(name, **changes), policy)
    return {(v.pointer.removeprefix("/invoice/"), v.code) for v in judged.errors + judged.warnings}
