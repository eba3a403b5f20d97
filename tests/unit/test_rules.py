"""Rules on dates, codes, addresses and references: what is odd about a valid event, and what is not."""

import pytest
from email_validator import validate_email
from hypothesis import given
from hypothesis import strategies as st

from schemas.rules.addresses import _PLAIN_EMAIL, POSTAL_CODES
from schemas.rules.codes import COUNTRIES, CURRENCIES, WITHDRAWN_CURRENCIES
from tests.unit.fakes_rules import broken, request


@pytest.mark.parametrize("name", ["invoice", "attachments", "credit-note", "collection-case"])
def test_the_examples_break_no_rule(name):
    assert broken(name) == set()


class TestDates:
    def test_due_on_the_day_of_the_invoice(self):
        assert broken(invoiceDate="2025-04-01", dueDate="2025-04-01") == set()

    def test_due_the_day_before(self):
        assert broken(invoiceDate="2025-04-01", dueDate="2025-03-31") == {("dueDate", "due_before_invoice")}


class TestCodes:
    @pytest.mark.parametrize("code", ["NOK", "SEK", "EUR", "DKK", "ISK", "CHF", "XAU"])
    def test_a_currency_that_exists(self, code):
        assert broken(currencyCode=code) == set()

    @pytest.mark.parametrize("code", ["NKR", "ABC", "XXX", "XTS", "KRO"])
    def test_a_currency_that_does_not(self, code):
        assert broken(currencyCode=code) == {("currencyCode", "currency")}

    @pytest.mark.parametrize("code", ["HRK", "BGN", "EEK", "LTL", "FIM", "DEM"])
    def test_a_currency_that_was_withdrawn_is_not_refused(self, code):
        assert broken(currencyCode=code) == {("currencyCode", "withdrawn_code")}

    @pytest.mark.parametrize("code", ["NO", "SE", "FI", "DK", "AX", "SJ", "GB", "XK"])
    def test_a_country_that_exists(self, code):
        codes = {"GB": "SW1A 1AA", "SE": "123 45", "FI": "00100", "AX": "22100"}
        address = {"addressCountryCode": code, "addressPostalCode": codes.get(code, "0155")}
        assert broken(address=address) == set()

    @pytest.mark.parametrize("code", ["UK", "EL", "ZZ", "EU"])
    def test_a_country_that_does_not(self, code):
        assert broken(address={"addressCountryCode": code}) == {("postalAddress/addressCountryCode", "country")}

    def test_a_country_that_is_no_more(self):
        assert broken(address={"addressCountryCode": "YU"}) == {("postalAddress/addressCountryCode", "withdrawn_code")}

    def test_codes_that_were_given_anew_are_not_withdrawn(self):
        assert broken(address={"addressCountryCode": "SK", "addressPostalCode": "811 01"}) == set()

    def test_what_is_withdrawn_still_exists(self):
        assert WITHDRAWN_CURRENCIES <= CURRENCIES
        assert {"YU", "XK"} <= COUNTRIES

    def test_without_an_address_there_is_no_country_to_judge(self):
        assert broken(postalAddress=None) == set()


class TestPostalCodes:
    @pytest.mark.parametrize(
        ("country", "code"),
        [
            ("NO", "0155"),
            ("NO", "NO-0155"),
            ("NO", " 0155 "),
            ("SJ", "9170"),
            ("SE", "123 45"),
            ("SE", "12345"),
            ("FI", "00100"),
            ("AX", "22100"),
            ("DK", "1050"),
            ("IS", "101"),
            ("FO", "FO-100"),
            ("GL", "3900"),
            ("DE", "10115"),
            ("NL", "1012 AB"),
            ("PL", "00-001"),
            ("LU", "L-1234"),
            ("LV", "LV-1050"),
            ("GB", "EC1A 1BB"),
            ("US", "12345-6789"),
            ("KE", "anything"),
            (None, "155"),
            ("NO", None),
            ("NO", " "),
        ],
    )
    def test_the_form_of_its_country(self, country, code):
        assert broken(address={"addressCountryCode": country, "addressPostalCode": code}) == set()

    @pytest.mark.parametrize(
        ("country", "code"),
        [
            ("NO", "155"),
            ("NO", "01555"),
            ("NO", "SE-0155"),
            ("NO", "٠١٥٥"),
            ("SE", "1234"),
            ("FI", "0010"),
            ("DK", "AB"),
        ],
    )
    def test_another_form(self, country, code):
        found = broken(address={"addressCountryCode": country, "addressPostalCode": code})
        assert found == {("postalAddress/addressPostalCode", "postal_code")}

    def test_every_country_with_a_form_exists(self):
        assert POSTAL_CODES.keys() <= COUNTRIES


class TestCollectionCases:
    @pytest.mark.parametrize("number", [None, "", "  "])
    @pytest.mark.parametrize("private", [False, "false"])
    def test_against_a_company_without_its_number(self, number, private):
        found = broken("collection-case", organizationNumber=number, isPrivateIndividual=private)
        assert found == {("organizationNumber", "organisation_number_missing")}

    @pytest.mark.parametrize("private", [True, None])
    def test_against_a_person_or_who_knows_whom(self, private):
        assert broken("collection-case", organizationNumber=None, isPrivateIndividual=private) == set()

    def test_an_invoice_needs_no_number(self):
        assert broken(organizationNumber=None, isPrivateIndividual=False) == set()

    def test_order_lines(self):
        lines = request().invoice.model_dump()["orderLines"]
        # Their amount includes VAT, so nothing is said about the sum.
        found = broken("collection-case", orderLines=lines, originalAmount=3125)
        assert found == {("orderLines", "order_lines_in_collection_case")}
        assert broken("collection-case", orderLines=[]) == set()
        assert broken("invoice", orderLines=lines) == set()


class TestReferencesAndEmail:
    def test_each_missing_reference_is_named(self):
        assert broken(accountingInvoiceId=None) == {("accountingInvoiceId", "reference_missing")}
        assert broken(debtorNumber=" ") == {("debtorNumber", "reference_missing")}
        assert len(broken(accountingInvoiceId=None, debtorNumber=None)) == 2

    @pytest.mark.parametrize("email", ["a@b.no", "kari.nordmann+x@post.example.no", "å@bå.no", None, "", " a@b.no "])
    def test_an_address(self, email):
        assert broken(email=email) == set()

    @pytest.mark.parametrize(
        "email", ["a", "a@", "@b.no", "a b@c.no", "Kari <a@b.no>", "a@b", "a..b@c.no", "a@b.no;c@d.no"]
    )
    def test_no_address(self, email):
        assert broken(email=email) == {("email", "email")}

    @given(st.from_regex(_PLAIN_EMAIL, fullmatch=True))
    def test_what_is_taken_without_asking_the_library_would_be_taken_by_it(self, email):
        assert validate_email(email, check_deliverability=False)


@given(
    st.text(), st.text(), st.text(), st.text(), st.text(), st.sampled_from([None, "NO", "SE", "FI", "DK", "GB", "ZZ"])
)
def test_no_text_makes_a_rule_raise(ssn, number, email, debtor, postal, country):
    address = {"addressCountryCode": country, "addressPostalCode": postal}
    broken(ssn=ssn, organizationNumber=number, email=email, debtorNumber=debtor, address=address)
