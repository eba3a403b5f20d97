"""Who uses the group, from brokers' answers: also a group that only a listing tells of."""

from io import BytesIO
from types import SimpleNamespace

import pytest
from aiokafka.errors import IncompatibleBrokerVersion

from worker.kafka.requests import DescribedGroup, TypedGroups
from worker.kafka.rights import GroupUse, _group

DEAD = {"error_code": 0, "state": "Dead", "protocol_type": "", "members": [], "authorized_operations": 1 << 3}


class Brokers:
    """An admin client of aiokafka's: one coordinator, and these answers."""

    def __init__(self, described, listed):
        self._answers = {DescribedGroup: {"groups": [described]}, TypedGroups: listed}
        self.asked = []

    async def find_coordinator(self, _name, _kind):
        return 5

    async def _send_request(self, request, node):
        self.asked.append((type(request), node))
        answer = self._answers[type(request)]
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(to_object=lambda: answer)


def listing(*rows):
    names = ("group", "protocol_type", "state", "type")
    return {"error_code": 0, "groups": [dict(zip(names, row, strict=True)) for row in rows]}


async def use(described, listed):
    brokers = Brokers(described, listed)
    operations, error, found = await _group(brokers, "g")
    assert (operations, error) == ({3}, None)
    assert brokers.asked[0] == (DescribedGroup, 5)
    return found, [kind for kind, node in brokers.asked[1:] if node == 5]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([("g", "consumer", "Stable", "consumer")], GroupUse(newer="consumer", state="Stable")),
        (
            [("h", "consumer", "Stable", "consumer"), ("g", "share", "Empty", "share")],
            GroupUse("", (), "share", "Empty"),
        ),
        ([("g", "", "Empty", "classic")], GroupUse()),
        ([("h", "consumer", "Stable", "consumer")], GroupUse()),
    ],
)
async def test_a_group_that_is_dead_to_describe_may_be_of_another_type(rows, found):
    assert await use(DEAD, listing(*rows)) == (found, [TypedGroups])


@pytest.mark.parametrize("error", [NotImplementedError(), IncompatibleBrokerVersion("old")])
async def test_an_older_broker_does_not_tell(error):
    assert await use(DEAD, error) == (GroupUse(), [TypedGroups])


async def test_a_group_that_is_described_is_not_listed():
    described = DEAD | {"state": "Stable", "protocol_type": "connect"}
    assert await use(described, listing()) == (GroupUse("connect", state="Stable"), [])


def test_the_listing_is_asked_in_the_version_that_tells_types():
    request = TypedGroups().prepare({16: (0, 5)})
    assert (request.API_VERSION, request.encode()) == (5, b"\x01\x01\x00")
    with pytest.raises(NotImplementedError):
        TypedGroups().prepare({16: (0, 4)})
    # As `ListGroupsResponse.json` lays it out: throttle, error, one group, no tagged fields.
    told = b"\0\0\0\0\0\0\x02\x02g\x09consumer\x07Stable\x09consumer\0\0"
    answer = request.RESPONSE_TYPE.decode(BytesIO(told)).to_object()
    [row] = answer["groups"]
    assert (row["group"], row["protocol_type"], row["state"], row["type"]) == ("g", "consumer", "Stable", "consumer")
