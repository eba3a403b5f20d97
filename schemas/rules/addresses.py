"""Where something is sent to: forms of postal codes, syntax of e-mail addresses (email-validator, nothing asked)."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from email_validator import EmailNotValidError, validate_email

from schemas.events import Claim
from schemas.rules.claims import given

# Forms as the Universal Postal Union lists them for each country. An "NO-" before the code is how letters from abroad
# are addressed; it is no mistake. Countries that are not here are not judged.
_DIGITS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("NO", "SJ", "DK", "AT", "BE", "BG", "CH", "LI", "HU", "SI", "CY"), r"\d{4}"),
    **dict.fromkeys(("FI", "AX", "DE", "FR", "ES", "IT", "EE", "HR", "TR", "UA"), r"\d{5}"),
    **dict.fromkeys(("SE", "CZ", "SK", "GR"), r"\d{3} ?\d{2}"),
    **dict.fromkeys(("IS", "FO"), r"\d{3}"),
    "GL": r"39\d\d",
    "LT": r"\d{5}",
    "LV": r"\d{4}",
    "LU": r"(?:L-)?\d{4}",
    "NL": r"\d{4} ?[A-Za-z]{2}",
    "PL": r"\d{2}-\d{3}",
    "PT": r"\d{4}-\d{3}",
    "US": r"\d{5}(-\d{4})?",
    "GB": r"[A-Za-z]{1,2}\d[A-Za-z\d]? ?\d[A-Za-z]{2}|GIR ?0AA",
}
POSTAL_CODES: Final[Mapping[str, re.Pattern[str]]] = {
    country: re.compile(f"(?:{country}-?)?(?:{form})" if country != "GB" else form, re.ASCII)
    for country, form in _DIGITS.items()
}
# What most addresses look like. All of it is valid by email-validator, too, which takes ten times as long to say so.
_PLAIN_EMAIL: Final = re.compile(
    r"[A-Za-z0-9_+-]{1,64}(?:\.[A-Za-z0-9_+-]{1,20}){0,5}@"
    r"(?:[A-Za-z0-9]{1,20}(?:-[A-Za-z0-9]{1,10}){0,3}\.){1,2}(?:no|se|fi|dk|com|net|org|eu)",
    re.ASCII,
)

_POSTAL_CODE: Final = ("/invoice/postalAddress/addressPostalCode",)
_EMAIL: Final = ("/invoice/email",)


def postal_code(invoice: Claim) -> Iterable[str]:
    """A postal code that does not look like one of its country."""
    address = invoice.postalAddress
    if address is None or address.addressCountryCode is None:
        return ()
    code, form = given(address.addressPostalCode), POSTAL_CODES.get(address.addressCountryCode)
    return () if code is None or form is None or form.fullmatch(code) else _POSTAL_CODE


def email(invoice: Claim) -> Iterable[str]:
    """An e-mail address that is none."""
    address = given(invoice.email)
    if address is None or _PLAIN_EMAIL.fullmatch(address):
        return ()
    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return _EMAIL
    return ()
