"""What an owner does, in a word: announce a call, settle an event."""

from tests.unit.fakes_core import OUTCOMES, TOPICS
from tests.unit.fakes_time import EPOCH
from worker.facts import Fact, Kind
from worker.model import Coordinates, OutRecord
from worker.ownership.group_commit import Settlement
from worker.standing import Entry, State

IDENTITY = "1/Invoice/1"


def origin(offset):
    return Coordinates(TOPICS.requests, 0, offset)


def fact_of(own, kind, where):
    return Fact(kind, own.owner, EPOCH, where, IDENTITY)


def intent(own, offset):
    return own.write(origin(offset), fact_of(own, Kind.INTENT, origin(offset)))


async def settle(own, offset):
    own.prefixes[TOPICS.requests].take(offset)
    entry = Entry(State.SCHEDULED, (offset, -1), "4711")
    settlement = Settlement(origin(offset), IDENTITY.encode(), entry, OutRecord(*OUTCOMES, None, b"o"), None)
    own.settle(settlement)
    return settlement
