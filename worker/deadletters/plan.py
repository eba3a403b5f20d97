"""What a run does, in which order: origins and what was predicted of each, no record. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from worker.deadletters.board import Summary
from worker.deadletters.letters import State
from worker.deadletters.predict import Prediction
from worker.model import Coordinates

_DEAD = frozenset({State.OPEN, State.RESOLVED})


@dataclass(slots=True)
class Item:
    """One dead letter of a run. `identity` also where the dead letter's headers don't tell it."""

    summary: Summary
    identity: str | None
    behind: bool = False
    """An earlier event of the invoice is dead and not part of the run."""
    prediction: Prediction | None = None
    skipped: str | None = None
    """Why it is not sent, in words."""
    sent: bool = False
    result: str | None = None
    """Its outcome's name and reason, once it came."""

    @property
    def key(self) -> str:
        """What must be kept in order."""
        return self.identity or str(self.summary.origin)


@dataclass(frozen=True, slots=True)
class Plan:
    """`items`: those of one invoice in the order of their origins. `before`: how many the run has sent already."""

    items: tuple[Item, ...]
    before: int = 0

    def to_send(self) -> list[Item]:
        """What is worth it."""
        return [item for item in self.items if item.skipped is None]


def plan(
    chosen: Iterable[Summary],
    everything: Iterable[Summary],
    replays: str,
    *,
    names: Mapping[Coordinates, str] | None = None,
    sent: Collection[Coordinates] = (),
    limit: int | None = None,
) -> Plan:
    """The run over the `chosen` dead letters of `everything`; those that failed first come first.

    `replays`: the replay topic, whose records come after those of the requests. `names`: identities by origin where the
    headers don't tell them. `sent`: origins that this run has sent before. `limit`: at most so many.
    """
    names = names or {}

    def order(origin: Coordinates) -> tuple[bool, Coordinates]:
        """An invoice's events are in one partition of the requests, or were written to the replays by hand, later."""
        return origin.topic == replays, origin

    fresh = sorted((one for one in chosen if one.origin not in sent), key=lambda one: (one.first_failure, one.origin))
    fresh = fresh[:limit]
    taken = {one.origin for one in fresh}
    items = [Item(one, one.identity or names.get(one.origin)) for one in fresh]
    first_left: dict[str, tuple[bool, Coordinates]] = {}
    wanted = {item.identity for item in items}
    for one in everything:
        identity = one.identity or names.get(one.origin)
        if identity is None or identity not in wanted or one.state not in _DEAD:
            continue
        if one.origin in taken or one.origin in sent:
            continue
        first_left[identity] = min(first_left.get(identity, order(one.origin)), order(one.origin))
    first_seen: dict[str, int] = {}
    for number, item in enumerate(items):
        first_seen.setdefault(item.key, number)
        left = first_left.get(item.identity or "")
        item.behind = left is not None and left < order(item.summary.origin)
    items.sort(key=lambda item: (first_seen[item.key], order(item.summary.origin)))
    return Plan(tuple(items), len(set(sent)))


def by_invoice(items: Iterable[Item]) -> dict[str, list[Item]]:
    """The items of each invoice in their order."""
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.key, []).append(item)
    return found


def canaries(items: Sequence[Item]) -> list[Item]:
    """One of each group of causes: its first that is also the first of its invoice."""
    found: dict[str, Item] = {}
    seen: set[str] = set()
    for item in items:
        if item.key not in seen:
            seen.add(item.key)
            found.setdefault(item.summary.fingerprint, item)
    return list(found.values())
