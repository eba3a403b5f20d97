"""ISO 4217 currencies and ISO 3166-1 countries: those that exist, and those that were withdrawn. Data: pycountry."""

import re
from collections.abc import Iterable
from typing import Final

import pycountry

from schemas.events import Claim

_CURRENT: Final = frozenset(currency.alpha_3 for currency in pycountry.currencies)
# Of ISO 4217's list three (historic codes) those withdrawn since 1999: old claims are still collected in them, and
# pycountry has none. A code that is withdrawn tomorrow goes from `_CURRENT` with pycountry's next release: add it here.
_WITHDRAWN_SINCE_1999: Final = frozenset(
    re.findall(
        "[A-Z]+",
        "ADP AFA ANG ATS AZM BEF BGL BGN BYB BYR CSD CUC CYP DEM ECS EEK ESP FIM FRF GHC GRD HRK IEP ITL LTL LUF LVL "
        "MGF MRO MTL MZM NLG PTE ROL RUR SDD SIT SKK SLL SRG STD TJR TMM TPE TRL USS VEB VEF XEU XFO XFU YUM ZMK ZWD "
        "ZWL ZWN ZWR",
    )
)
WITHDRAWN_CURRENCIES: Final = _WITHDRAWN_SINCE_1999 - _CURRENT
CURRENCIES: Final = (_CURRENT - {"XXX", "XTS"}) | WITHDRAWN_CURRENCIES
"""All that a claim can be in. XXX stands for no currency and XTS for tests, says ISO 4217."""

_CURRENT_COUNTRIES: Final = frozenset(country.alpha_2 for country in pycountry.countries)
WITHDRAWN_COUNTRIES: Final = (
    frozenset(country.alpha_2 for country in pycountry.historic_countries if hasattr(country, "alpha_2"))
    - _CURRENT_COUNTRIES
)
"""ISO 3166-3, but for codes that were given anew."""
COUNTRIES: Final = _CURRENT_COUNTRIES | WITHDRAWN_COUNTRIES | {"XK"}
"""XK is no ISO code but the one of its user-assigned ones that posts, banks and the EU use for Kosovo."""

_CURRENCY: Final = ("/invoice/currencyCode",)
_COUNTRY: Final = ("/invoice/postalAddress/addressCountryCode",)


def country_of(invoice: Claim) -> str | None:
    """The country code of the debtor's address."""
    return invoice.postalAddress.addressCountryCode if invoice.postalAddress else None


def currency(invoice: Claim) -> Iterable[str]:
    """A currency that never existed."""
    return () if invoice.currencyCode in CURRENCIES else _CURRENCY


def country(invoice: Claim) -> Iterable[str]:
    """A country that never existed."""
    code = country_of(invoice)
    return () if code is None or code in COUNTRIES else _COUNTRY


def withdrawn_code(invoice: Claim) -> Iterable[str]:
    """A currency or a country that is no more."""
    found: tuple[str, ...] = _CURRENCY if invoice.currencyCode in WITHDRAWN_CURRENCIES else ()
    return (*found, *_COUNTRY) if country_of(invoice) in WITHDRAWN_COUNTRIES else found
