"""What a rule does is set: reject, warn, off. And no code without a row, a setting, a suggestion, a metric label."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.rules import BY_CODE, DEFAULT_POLICY, RULES, Action, RulePolicy, judge, suggestion
from schemas.rules.judge import CHECKS
from schemas.rules.reference import setting, table
from schemas.rules.suggestions import OTHERWISE, SUGGESTIONS
from schemas.violations import _LIMITS, _SENTENCES, MAX_VIOLATIONS, MORE
from tests.unit.fakes_rules import ALL_WARN, line, request
from worker.settings import Loaded, Refused, load
from worker.settings.contract import ContractSettings
from worker.settings.text import default
from worker.telemetry.labels import WARNINGS
from worker.wiring import rule_policy

ROOT = Path(__file__).parents[2]
GOOD = {"KAFKA_BOOTSTRAP_SERVERS": "localhost:9092", "KRAVIA_TOKEN": "t"}
BAD = {
    "currencyCode": "NKR",
    "dueDate": "2020-01-01",
    "email": "kari@",
    "debtorNumber": None,
    "originalAmount": 1,
    "ssn": "1",
    "organizationNumber": "1",
}


def codes(found):
    return {violation.code for violation in found}


def test_by_default_only_what_kravia_cannot_take_is_rejected():
    rejecting = {rule.code for rule in RULES if DEFAULT_POLICY.action(rule.code) is Action.REJECT}
    assert rejecting == {"currency", "country", "organisation_number_missing", "order_lines_in_collection_case"}
    judged = judge(request(**BAD))
    assert codes(judged.errors) == {"currency"}
    assert codes(judged.warnings) == {
        "due_before_invoice",
        "email",
        "reference_missing",
        "amount_total",
        "birth_number",
        "organisation_number",
    }


@pytest.mark.parametrize("action", Action)
def test_every_rule_does_what_is_set(action):
    judged = judge(request(**BAD), RulePolicy(dict.fromkeys(BY_CODE, action)), key_differs=True)
    assert len(judged.errors) == (8 if action is Action.REJECT else 0)
    assert len(judged.warnings) == (8 if action is Action.WARN else 0)


def test_one_rule_may_differ_from_the_rest():
    judged = judge(request(**BAD), RulePolicy({"currency": Action.OFF, "email": Action.REJECT}))
    assert codes(judged.errors) == {"email"}
    assert "currency" not in codes(judged.warnings)


def test_a_rule_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="no such rule: sums"):
        RulePolicy({"sums": Action.OFF})


def test_policies_are_equal_where_their_actions_are():
    assert RulePolicy({"email": Action.WARN}) == DEFAULT_POLICY
    assert hash(RulePolicy({"email": Action.WARN})) == hash(DEFAULT_POLICY)
    assert RulePolicy({"email": Action.OFF}) != DEFAULT_POLICY


def test_thousands_of_wrong_lines_are_counted_and_hide_nothing_else():
    judged = judge(request(orderLines=[line("1", "1", "3")] * 2000, email="kari@"), ALL_WARN)
    assert len(judged.warnings) == MAX_VIOLATIONS + 1
    assert codes(judged.warnings) == {"line_total", "amount_total", "email", MORE}
    # 2000 lines, the sum and the address were found.
    assert f" {2002 - MAX_VIOLATIONS} more" in judged.warnings[-1].message
    assert len({v.pointer for v in judged.warnings}) == MAX_VIOLATIONS + 1


class TestCatalogue:
    def test_every_rule_has_a_check(self):
        assert {*CHECKS, "key_differs"} == set(BY_CODE)
        assert len(BY_CODE) == len(RULES)

    def test_every_rule_has_a_setting_with_its_default(self):
        assert list(ContractSettings.model_fields) == [f"rule_{rule.code}" for rule in RULES]
        assert [setting(rule) for rule in RULES] == [name.upper() for name in ContractSettings.model_fields]
        for rule in RULES:
            assert default(f"rule_{rule.code}") == rule.default
        assert ContractSettings().rule_policy == DEFAULT_POLICY

    def test_every_rule_has_a_metric_label(self):
        assert set(BY_CODE) <= set(WARNINGS.values)

    def test_the_contracts_page_has_the_table(self):
        assert table() in (ROOT / "docs" / "reference" / "rules.md").read_text("utf-8"), (
            "run: python -m schemas.rules.reference"
        )

    def test_sentences_are_sentences(self):
        for rule in RULES:
            for text in (rule.sentence, rule.why, rule.suggestion):
                assert re.fullmatch(r"[A-Z].*\.", text), text


class TestSettings:
    def test_they_make_the_policy(self):
        loaded = load(GOOD | {"RULE_LINE_TOTAL": "reject", "rule_email": "off"}, None)
        assert isinstance(loaded, Loaded)
        assert rule_policy(loaded.settings) == RulePolicy({"line_total": Action.REJECT, "email": Action.OFF})

    def test_another_word_is_refused(self):
        refused = load(GOOD | {"RULE_EMAIL": "ignore"}, None)
        assert isinstance(refused, Refused)
        assert [str(problem) for problem in refused.problems] == [
            "RULE_EMAIL=ignore: allowed: one of reject, warn, off"
        ]

    def test_a_rule_that_does_not_exist_draws_a_warning(self):
        loaded = load(GOOD | {"RULE_LINE_TOTALS": "off"}, None)
        assert isinstance(loaded, Loaded)
        assert loaded.warnings == (
            "RULE_LINE_TOTALS (environment) is no setting and has no effect; did you mean RULE_LINE_TOTAL?",
        )


class TestSuggestions:
    def constants(self):
        """Codes that the contract's code and the worker's decoder write out."""
        makers = {"Violation": 1, "Problem": 1, "PydanticCustomError": 0, "JsonError": 0, "_RefusedError": 0}
        paths = [*(ROOT / "schemas").glob("*.py"), *(ROOT / "worker").glob("*.py")]
        for path in paths:
            for call in ast.walk(ast.parse(path.read_text("utf-8"))):
                place = (
                    makers.get(call.func.id) if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else None
                )
                if place is None or len(call.args) <= place:
                    continue
                if isinstance(code := call.args[place], ast.Constant):
                    yield code.value

    def test_there_is_one_for_every_code(self):
        written = set(self.constants())
        assert {"bad_date", "misrouted", "tombstone", "not_json", "conflict", "duplicate_file_name"} <= written
        shapes = {code for code, _ in (*_SENTENCES.values(), *_LIMITS.values())}
        envelope = {f"missing_{name}" for name in ("specversion", "id", "source", "type")}
        assert written | shapes | envelope | set(BY_CODE) | {MORE} <= SUGGESTIONS.keys()

    def test_they_are_sentences_and_one_is_given_for_anything(self):
        for code in SUGGESTIONS:
            assert re.fullmatch(r"[A-Z].*\.", suggestion(code)), code
        assert suggestion("http_422") == OTHERWISE


def test_the_rest_of_the_contract_needs_pydantic_alone():
    program = (
        "import sys; sys.modules.update(dict.fromkeys(('stdnum', 'pycountry', 'email_validator')))\n"
        "import schemas.events, schemas.outcomes, schemas.dead_letters, schemas.commands, schemas.documents\n"
        "assert not any(name.startswith('schemas.rules') for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
