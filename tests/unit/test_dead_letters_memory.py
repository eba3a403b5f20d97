"""A hundred thousand dead letters are looked at in little memory, whatever their values weigh."""

import tracemalloc
from dataclasses import replace

from tests.unit.fakes_core import TOPICS, make_record
from tests.unit.fakes_letters import REFUSED, FakeTopics
from worker.deadletters.source import read_board
from worker.model import Record

COUNT = 100_000
BYTES_EACH = 1_200


class ManyLetters:
    """Makes each dead letter when it is read, as a broker does: with a value that a board must not keep."""

    topics = TOPICS

    def __init__(self):
        world = FakeTopics()
        world.settle(make_record(0), REFUSED)
        [self._letter] = world.dead_letters
        self._own = [(name, value) for name, value in self._letter.headers if name not in _CHANGING]

    async def letters(self):
        for number in range(COUNT):
            headers = (
                *self._own,
                ("__dlq.errors.offset", str(number).encode()),
                ("kravia.dlq.identity", f"10759/Invoice/{number}".encode()),
            )
            yield replace(self._letter, offset=number, headers=headers, value=bytes(20_000))

    async def outcomes(self):
        for number in range(COUNT):
            # Not JSON at all: only what replays something may be looked into.
            yield Record(TOPICS.outcomes, 0, number, 0, b"k", b"not read" * 100, (("ce_id", b"x"),))


_CHANGING = ("__dlq.errors.offset", "kravia.dlq.identity")


async def test_a_hundred_thousand_dead_letters():
    source = ManyLetters()
    tracemalloc.start()
    try:
        board = await read_board(source)
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(board.summaries) == COUNT
    assert board.unread_outcomes == 0
    assert held < COUNT * BYTES_EACH
    assert peak < COUNT * BYTES_EACH + 20_000_000
