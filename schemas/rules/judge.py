"""All rules on one request."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from schemas.events import Claim, InvoiceRequest
from schemas.rules import addresses, amounts, claims, codes, numbers
from schemas.rules.policy import DEFAULT_POLICY, RulePolicy
from schemas.violations import MAX_VIOLATIONS, Violation, bounded

KEY_DIFFERS: Final = "key_differs"

CHECKS: Final[Mapping[str, Callable[[Claim], Iterable[str]]]] = {
    check.__name__: check
    for check in (
        amounts.line_total,
        amounts.amount_total,
        claims.due_before_invoice,
        codes.currency,
        codes.country,
        codes.withdrawn_code,
        addresses.postal_code,
        numbers.organisation_number,
        numbers.birth_number,
        claims.organisation_number_missing,
        claims.order_lines_in_collection_case,
        claims.reference_missing,
        addresses.email,
    )
}
"""By code: the pointers to what breaks the rule. `key_differs` is not here: it is about the record, not the data."""


class Judged(NamedTuple):
    """What the rules found, each list bounded: at most `MAX_VIOLATIONS`, and one that says how many more there are."""

    errors: list[Violation]
    """Of rules that reject."""
    warnings: list[Violation]
    """Of rules that warn."""


def judge(request: InvoiceRequest, policy: RulePolicy = DEFAULT_POLICY, *, key_differs: bool = False) -> Judged:
    """What `policy`'s rules find in a valid request. Never raises.

    `key_differs`: the record's key is not the identity's bytes, yet leads to the right partition; False without one.
    """
    invoice = request.invoice
    errors: list[Violation] = []
    warnings: list[Violation] = []
    for rule, rejects in policy.active:
        check = CHECKS.get(rule.code)
        if check is None:
            pointers: Iterable[str] = ("",) if key_differs else ()
        else:
            pointers = check(invoice)
        for pointer in pointers:
            (errors if rejects else warnings).append(Violation(pointer, rule.code, rule.sentence))
    return Judged(_bounded(errors), _bounded(warnings))


def _bounded(found: list[Violation]) -> list[Violation]:
    if len(found) <= MAX_VIOLATIONS:
        return found
    # Thousands of wrong lines must not hide what else is wrong: the first of each rule goes before the rest.
    firsts = dict.fromkeys(item.code for item in found)
    ahead = [next(item for item in found if item.code == code) for code in firsts]
    return bounded(ahead + [item for item in found if item not in ahead])
