"""Which rules there are: data that settings, docs/reference/rules.md, metric labels and tests are held to.

A rule rejects by default only what Kravia cannot take: a code that does not exist, and what its guides require of a
collection case. Everything else is arithmetic, check digits and forms, about which a producer may be right and we
wrong: it is sent and listed as a warning.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Action(StrEnum):
    """What a rule does with an event that breaks it."""

    REJECT = "reject"
    WARN = "warn"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `sentence` is what a producer reads, never with a value; `why` and `suggestion` are sentences, too."""

    code: str
    default: Action
    sentence: str
    why: str
    suggestion: str


RULES: Final = (
    Rule(
        "line_total",
        Action.WARN,
        "A line's total must be unitPrice × count less discountInPercent, rounded half up, within 0.01 (within 1 where "
        "the currency has no decimals).",
        "Kravia's guide computes lines so, VAT not added; numbers reach Kravia as written, right or wrong.",
        "Compute the line's total anew, without VAT, or correct price, count or discount.",
    ),
    Rule(
        "amount_total",
        Action.WARN,
        "The lines' totals must add up to originalAmount, within 0.01 for each line (1 where the currency has no "
        "decimals). Not asked of collection cases, whose amount includes VAT.",
        "In Kravia's guide they do, VAT not added; originalAmount is what the debtor is asked to pay.",
        "Correct originalAmount, or add the line that is missing, say for rounding.",
    ),
    Rule(
        "due_before_invoice",
        Action.WARN,
        "The due date must not lie before the invoice date.",
        "Such an invoice is overdue on the day it is written, most often because the dates are swapped.",
        "Correct dueDate or invoiceDate.",
    ),
    Rule(
        "currency",
        Action.REJECT,
        "The currency must exist: an ISO 4217 code, neither XXX (no currency) nor XTS (tests).",
        "Nobody can pay in a currency that does not exist.",
        "Write the ISO 4217 code of the currency that the debtor shall pay in, such as NOK.",
    ),
    Rule(
        "country",
        Action.REJECT,
        "The country must exist: an ISO 3166-1 alpha-2 code, or XK for Kosovo.",
        "An address in a country that does not exist can't be delivered to.",
        "Write the country's ISO 3166-1 alpha-2 code, such as NO; GB for the United Kingdom, GR for Greece.",
    ),
    Rule(
        "withdrawn_code",
        Action.WARN,
        "This currency or country was withdrawn from its ISO standard.",
        "An old claim may still be in such a currency; a new invoice is most likely not.",
        "Write the code of the successor, such as EUR for HRK, unless the claim is really that old.",
    ),
    Rule(
        "postal_code",
        Action.WARN,
        "The postal code does not have the form that postal codes of its country have.",
        "A letter may not arrive.",
        "Correct the postal code or the country: four digits in Norway and Denmark, five in Sweden and Finland.",
    ),
    Rule(
        "organisation_number",
        Action.WARN,
        "The organisation number's length or check digit is wrong for the country of the address (Norway, Sweden, "
        "Finland; without a country, for each of the three).",
        "A mistyped number finds another company or none.",
        "Look the company up in its register and correct organizationNumber; no VAT prefix, no MVA behind it.",
    ),
    Rule(
        "birth_number",
        Action.WARN,
        "The national identity number must be a Norwegian birth number or D-number: eleven digits, the last two of "
        "them right check digits. Asked of addresses in Norway, and of eleven digits where the country is not given.",
        "A mistyped number finds another person or none.",
        "Correct ssn at its source; never guess one.",
    ),
    Rule(
        "organisation_number_missing",
        Action.REJECT,
        "A collection case against a company (isPrivateIndividual false) must have its organisation number.",
        "Kravia's guide requires it.",
        "Add organizationNumber, or correct isPrivateIndividual.",
    ),
    Rule(
        "order_lines_in_collection_case",
        Action.REJECT,
        "A collection case has no order lines.",
        "Kravia's guide has none; its amount includes VAT, which lines do not. Set to warn, they are sent as written.",
        "Leave orderLines out and put the amount with VAT into originalAmount.",
    ),
    Rule(
        "reference_missing",
        Action.WARN,
        "This reference is missing.",
        "Kravia recommends accountingInvoiceId for reconciliation and finds the customer card by debtorNumber.",
        "Add accountingInvoiceId (your own id of the invoice) and debtorNumber (your customer number).",
    ),
    Rule(
        "email",
        Action.WARN,
        "This is not an e-mail address.",
        "Nothing can be sent to it.",
        "Correct the address: one name@domain without a display name, or leave it out.",
    ),
    Rule(
        "key_differs",
        Action.WARN,
        "The record's key is not the invoice's identity, yet leads to the right partition.",
        "That it landed right is luck: with another number of partitions it is misrouted.",
        "Write the invoice's identity as the record's key.",
    ),
)
"""In the order in which they are applied and listed."""

BY_CODE: Final[Mapping[str, Rule]] = MappingProxyType({rule.code: rule for rule in RULES})
