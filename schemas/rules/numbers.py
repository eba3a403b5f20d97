"""Organisation numbers and birth numbers by their check digits. Algorithms: python-stdnum.

Nothing here shows a number, nor keeps one.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from stdnum.fi import ytunnus
from stdnum.no import fodselsnummer
from stdnum.no import orgnr as norwegian
from stdnum.se import orgnr as swedish
from stdnum.util import isdigits

from schemas.events import Claim
from schemas.rules.claims import given
from schemas.rules.codes import country_of

_ORGANISATION: Final = ("/invoice/organizationNumber",)
_BIRTH: Final = ("/invoice/ssn",)
_BIRTH_DIGITS: Final = 11
_SWEDISH_WITH_CENTURY: Final = 12


def _is_swedish(number: str) -> bool:
    # Sole traders have their personal number, at times with its century; registers write a 16 before a company's.
    digits: str = swedish.compact(number)
    if len(digits) == _SWEDISH_WITH_CENTURY and digits[:2] in {"16", "18", "19", "20"}:
        digits = digits[2:]
    return bool(swedish.is_valid(digits))


_BY_COUNTRY: Final[Mapping[str, Callable[[str], bool]]] = {
    "NO": norwegian.is_valid,
    "SJ": norwegian.is_valid,  # Svalbard's companies are in Norway's register
    "SE": _is_swedish,
    "FI": ytunnus.is_valid,
    "AX": ytunnus.is_valid,  # and Åland's in Finland's
}
_ALL: Final = (norwegian.is_valid, _is_swedish, ytunnus.is_valid)


def organisation_number(invoice: Claim) -> Iterable[str]:
    """The organisation number, where its check digit is wrong for its country; without a country, for all three."""
    number = given(invoice.organizationNumber)
    if number is None:
        return ()
    country = country_of(invoice)
    if country is None:
        return () if any(is_valid(number) for is_valid in _ALL) else _ORGANISATION
    is_valid = _BY_COUNTRY.get(country)
    return () if is_valid is None or is_valid(number) else _ORGANISATION


def birth_number(invoice: Claim) -> Iterable[str]:
    """The national identity number, where a Norwegian one is expected and this is none.

    By length and check digits alone: `fodselsnummer.validate` also compares its date with today's, and refuses what
    holds none (FH-numbers, the synthetic ones of tests). Numbers given out from 2032 on have a looser first check
    digit (Skatteetaten): python-stdnum 2.2 does not know them.
    """
    number = given(invoice.ssn)
    if number is None:
        return ()
    country = country_of(invoice)
    if country not in {None, "NO", "SJ"}:
        return ()
    digits: str = fodselsnummer.compact(number)
    if not isdigits(digits) or len(digits) != _BIRTH_DIGITS:
        return () if country is None else _BIRTH
    first, second = fodselsnummer.calc_check_digit1(digits), fodselsnummer.calc_check_digit2(digits)
    return () if digits[-2:] == first + second else _BIRTH
