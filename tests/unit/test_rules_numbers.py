"""Rules on organisation numbers and birth numbers: their check digits, by country."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.no import fodselsnummer

from schemas.rules import judge
from tests.unit.fakes_rules import ALL_WARN, broken, request
from worker.demo.samples import organization_number

BIRTH_NUMBER, D_NUMBER = "15108695088", "55108695071"
"""Made up: python-stdnum's own example, and the same with a D-number's day."""


class TestOrganisationNumbers:
    def found(self, number, country):
        address = {"addressCountryCode": country, "addressPostalCode": None}
        return broken(organizationNumber=number, isPrivateIndividual="false", address=address)

    @pytest.mark.parametrize(
        ("country", "number"),
        [
            ("NO", "988077917"),
            ("NO", "988 077 917"),
            ("SJ", "988077917"),
            ("SE", "123456-7897"),
            ("SE", "161234567897"),
            ("FI", "2077474-0"),
            ("AX", "20774740"),
            ("DE", "HRB 1"),
            ("NO", " "),
            (None, "988077917"),
            (None, "1234567897"),
            (None, "2077474-0"),
        ],
    )
    def test_right_for_its_country(self, country, number):
        assert self.found(number, country) == set()

    @pytest.mark.parametrize(
        ("country", "number"),
        [
            ("NO", "988077918"),
            ("NO", "98807791"),
            ("NO", "NO988077917MVA"),
            ("NO", "1234567897"),
            ("SE", "1234567898"),
            ("FI", "2077474-1"),
            ("FI", "988077917"),
            (None, "988077918"),
        ],
    )
    def test_wrong_for_its_country(self, country, number):
        assert self.found(number, country) == {("organizationNumber", "organisation_number")}

    def test_without_an_address_any_of_the_three_will_do(self):
        assert broken(organizationNumber="2077474-0", postalAddress=None) == set()
        assert broken(organizationNumber="2077474-1", postalAddress=None) != set()

    @given(st.integers(), st.integers(0, 8), st.integers(1, 9))
    def test_one_mistyped_digit_is_noticed(self, seed, place, by):
        number = organization_number(random.Random(seed))
        wrong = f"{number[:place]}{(int(number[place]) + by) % 10}{number[place + 1 :]}"
        assert self.found(number, "NO") == set()
        assert self.found(wrong, "NO") == {("organizationNumber", "organisation_number")}


class TestBirthNumbers:
    def found(self, number, country="NO"):
        return broken(ssn=number, address={"addressCountryCode": country, "addressPostalCode": None})

    @pytest.mark.parametrize("number", [BIRTH_NUMBER, "151086 95088", D_NUMBER, None, "", " "])
    def test_right(self, number):
        assert self.found(number) == set()

    def test_a_number_of_tests_and_one_of_the_future_are_judged_by_their_digits_alone(self):
        base = "019099900"  # a month of 90 is a synthetic person's
        digits = [f"{base[:6]}{serial:03}" for serial in range(900, 999)]
        made = [
            d + (first := fodselsnummer.calc_check_digit1(d)) + fodselsnummer.calc_check_digit2(d + first)
            for d in digits
        ]
        good = [number for number in made if len(number) == 11]
        assert len(good) > 10
        assert all(self.found(number) == set() for number in good)

    @pytest.mark.parametrize(
        "number", ["15108695077", "1510869508", "151086950880", "abc", "1510869508a", "١٥١٠٨٦٩٥٠٨٨"]
    )
    def test_wrong(self, number):
        assert self.found(number) == {("ssn", "birth_number")}

    def test_other_countries_have_other_numbers(self):
        assert self.found("811218-9876", "SE") == set()
        assert self.found("131052-308T", "FI") == set()

    def test_without_a_country_only_eleven_digits_are_taken_for_a_norwegian_one(self):
        assert self.found("811218-9876", None) == set()
        assert self.found(BIRTH_NUMBER, None) == set()
        assert self.found("15108695077", None) == {("ssn", "birth_number")}

    @given(st.from_regex(r"[0-9]{11}", fullmatch=True))
    def test_no_message_shows_the_number(self, number):
        judged = judge(request(ssn=number), ALL_WARN)
        assert number not in str(judged)
