"""What each rule does: the catalogue's defaults, and what an operator set otherwise."""

from collections.abc import Mapping
from typing import Final

from schemas.rules.catalogue import BY_CODE, RULES, Action, Rule


class RulePolicy:
    """An action for every rule. Never changes; equal where the actions are."""

    __slots__ = ("_actions", "active")

    active: tuple[tuple[Rule, bool], ...]
    """The rules that are not off, in the catalogue's order, each with whether it rejects."""

    def __init__(self, actions: Mapping[str, Action] | None = None) -> None:
        """`actions` by code; a rule without one does its default. ValueError for a code that is no rule's."""
        given = dict(actions or {})
        if unknown := sorted(given.keys() - BY_CODE.keys()):
            raise ValueError(f"no such rule: {', '.join(unknown)}")
        self._actions = {rule.code: Action(given.get(rule.code, rule.default)) for rule in RULES}
        self.active = tuple(
            (rule, self._actions[rule.code] is Action.REJECT)
            for rule in RULES
            if self._actions[rule.code] is not Action.OFF
        )

    def but(self, code: str, action: Action) -> "RulePolicy":
        """This policy with another action for one rule. ValueError for a code that is no rule's."""
        return RulePolicy({**self._actions, code: action})

    @property
    def lenient(self) -> "RulePolicy":
        """This policy, with a warning where it rejects."""
        warned = {code: Action.WARN for code, action in self._actions.items() if action is Action.REJECT}
        return RulePolicy({**self._actions, **warned})

    def action(self, code: str) -> Action:
        """What the rule with this code does. KeyError when there is none."""
        return self._actions[code]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RulePolicy) and self._actions == other._actions

    def __hash__(self) -> int:
        return hash(tuple(self._actions.values()))

    def __repr__(self) -> str:
        return f"RulePolicy({', '.join(f'{code}={action}' for code, action in self._actions.items())})"


DEFAULT_POLICY: Final = RulePolicy()
