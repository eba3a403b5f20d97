"""Rules beyond shape: what a valid invoice event may still get wrong. Pure; needs python-stdnum, pycountry and
email-validator, so nothing else in `schemas` imports it.

`catalogue` says which rules there are, `policy` what each of them does (reject, warn, off), `judge` applies them to a
request that `schemas.events.check` took, `suggestion` says what to do about any code of the contract.
"""

from schemas.rules.catalogue import BY_CODE, RULES, Action, Rule
from schemas.rules.judge import KEY_DIFFERS, Judged, judge
from schemas.rules.policy import DEFAULT_POLICY, RulePolicy
from schemas.rules.suggestions import suggestion

__all__ = [
    "BY_CODE",
    "DEFAULT_POLICY",
    "KEY_DIFFERS",
    "RULES",
    "Action",
    "Judged",
    "Rule",
    "RulePolicy",
    "judge",
    "suggestion",
]
