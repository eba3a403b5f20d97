"""What can be computed: totals of lines and of the invoice. All of it exact, in Decimal.

Kravia's guide has 125 × 10 = 1250 = `total`, the totals add up to `originalAmount`, and VAT is not added: that is what
is asked here. Rounding half up is to the currency's smallest unit; half away from zero, so that a credit line of -0.125
rounds like one of 0.125.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import reduce
from typing import Final

from schemas.events import Claim, CollectionCase, OrderLine

# Numbers have at most 40 digits (`schemas.fields.MAX_DIGITS`): no product of three and no sum of 2000 needs as many.
# Nothing is trapped: a rule never raises.
_EXACT: Final = Context(prec=200, rounding=ROUND_HALF_UP, traps=[])
_CENT: Final = Decimal("0.01")
_ONE: Final = Decimal(1)
_HUNDRED: Final = Decimal(100)
_ZERO: Final = Decimal(0)
# ISO 4217, list one: currencies whose minor unit is 0. Others round to 0.01, those with three decimals within it.
_WITHOUT_DECIMALS: Final = frozenset(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split()  # noqa: SIM905 -- easier to check
)


def line_total(invoice: Claim) -> Iterable[str]:
    """Totals of lines that are not their price times count less discount."""
    lines = invoice.orderLines
    if not lines:
        return ()
    unit = _unit(invoice.currencyCode)
    return [f"/invoice/orderLines/{index}/total" for index, line in enumerate(lines) if not _computed(line, unit)]


def amount_total(invoice: Claim) -> Iterable[str]:
    """The amount, where the lines do not add up to it."""
    lines = invoice.orderLines
    if not lines or isinstance(invoice, CollectionCase):
        return ()
    total = reduce(_EXACT.add, [line.total for line in lines], _ZERO)
    if total == invoice.originalAmount:
        return ()
    allowed = _unit(invoice.currencyCode) * len(lines)
    return () if _distance(total, invoice.originalAmount) <= allowed else ("/invoice/originalAmount",)


def _computed(line: OrderLine, unit: Decimal) -> bool:
    expected = _EXACT.multiply(line.unitPrice, line.count)
    if line.discountInPercent:
        left = _EXACT.subtract(_HUNDRED, line.discountInPercent)
        expected = _EXACT.scaleb(_EXACT.multiply(expected, left), -2)
    if expected == line.total:
        return True
    return _distance(_EXACT.quantize(expected, unit), line.total) <= unit


def _distance(a: Decimal, b: Decimal) -> Decimal:
    return _EXACT.abs(_EXACT.subtract(a, b))


def _unit(currency: str) -> Decimal:
    """The smallest amount that is told apart: what is rounded to, and by how much a line may be off."""
    return _ONE if currency in _WITHOUT_DECIMALS else _CENT
