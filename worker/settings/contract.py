"""`RULE_*`: what each rule of the contract does with an event that breaks it."""

from typing import Any

from pydantic import BaseModel, Field

from schemas.rules import BY_CODE, Action, RulePolicy


def _rule(code: str) -> Any:
    rule = BY_CODE[code]
    return Field(
        default=rule.default, description=rule.sentence, json_schema_extra={"allowed": f"one of {', '.join(Action)}"}
    )


class ContractSettings(BaseModel):
    """One for each rule of `schemas.rules.catalogue`; a test holds the two together."""

    rule_line_total: Action = _rule("line_total")
    rule_amount_total: Action = _rule("amount_total")
    rule_due_before_invoice: Action = _rule("due_before_invoice")
    rule_currency: Action = _rule("currency")
    rule_country: Action = _rule("country")
    rule_withdrawn_code: Action = _rule("withdrawn_code")
    rule_postal_code: Action = _rule("postal_code")
    rule_organisation_number: Action = _rule("organisation_number")
    rule_birth_number: Action = _rule("birth_number")
    rule_organisation_number_missing: Action = _rule("organisation_number_missing")
    rule_order_lines_in_collection_case: Action = _rule("order_lines_in_collection_case")
    rule_reference_missing: Action = _rule("reference_missing")
    rule_email: Action = _rule("email")
    rule_key_differs: Action = _rule("key_differs")

    @property
    def rule_policy(self) -> RulePolicy:
        """What all of them say."""
        return RulePolicy({code: getattr(self, f"rule_{code}") for code in BY_CODE})
