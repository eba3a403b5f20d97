"""The ledger in memory: at most 200 bytes for each identity; the whole entry is read from the topic when it is needed.

An identity is kept as a 128-bit digest, its glance as 25 packed bytes; where its money is at risk, the amount stands
behind them. Entries that were written lately are kept whole, since a repeat or a replay mostly follows soon.
"""

import hashlib
import struct
from collections import OrderedDict
from typing import NamedTuple

from worker.at_risk import Exposure, Stake, pack, stake_of, unpack
from worker.model import Record
from worker.standing import Entry, State

_PACKED = struct.Struct("<Bqqq")
_STATES = tuple(State)
_DOUBLE = 0x80
_RECENT = 2048


class Glance(NamedTuple):
    """What memory holds of an identity: its state, the settled offsets per input, its offset in the ledger."""

    state: State
    settled: tuple[int, int]
    offset: int


class LedgerTable:
    """How every identity of the partition stands, as far as it is committed."""

    def __init__(self, inputs: tuple[str, str], floors: tuple[int, int] = (0, 0)) -> None:
        """`inputs`: the names of the request and replay topics; `floors`: their committed offsets."""
        self._inputs = inputs
        self._floors = floors
        self._packed: dict[int, bytes] = {}
        self._recent: OrderedDict[bytes, Entry] = OrderedDict()
        self._beyond: tuple[set[int], set[int]] = (set(), set())
        self.counts: dict[State, int] = dict.fromkeys(_STATES, 0)
        """How many identities are in each state."""
        self.doubles = 0
        """Identities with more than one register call that may have been carried out."""
        self.exposure = Exposure()
        """Whose money is at risk: dead letters, and doubts that were given up."""

    def __len__(self) -> int:
        return len(self._packed)

    def load(self, key: bytes, entry: Entry, offset: int) -> None:
        """Take in a committed entry that stands at `offset` of the ledger."""
        for settled, beyond, floor in zip(entry.settled, self._beyond, self._floors, strict=True):
            if settled >= floor:
                beyond.add(settled)
        if self._is_coordinates(key):
            # It stands for a record without an identity: nothing but its offset is ever asked for.
            return
        digest = _digest(key)
        before = self._packed.get(digest)
        if before is not None:
            self.counts[_STATES[before[0] & ~_DOUBLE]] -= 1
            self.doubles -= bool(before[0] & _DOUBLE)
            if (was := _stake(before)) is not None:
                self.exposure.add(was, -1)
        double = entry.possible_double
        self.counts[entry.state] += 1
        self.doubles += double
        flags = _STATES.index(entry.state) | (_DOUBLE if double else 0)
        packed = _PACKED.pack(flags, *entry.settled, offset)
        if (at_stake := stake_of(entry)) is not None:
            self.exposure.add(at_stake)
            packed += pack(at_stake)
        self._packed[digest] = packed

    def remember(self, key: bytes, entry: Entry) -> None:
        """Keep a freshly written entry whole, for a while."""
        self._recent[key] = entry
        self._recent.move_to_end(key)
        while len(self._recent) > _RECENT:
            self._recent.popitem(last=False)

    def recent(self, key: bytes) -> Entry | None:
        """The whole entry, when it was written lately."""
        return self._recent.get(key)

    def glance(self, key: bytes) -> Glance | None:
        """What is known of an identity; None when the ledger has nothing of it."""
        packed = self._packed.get(_digest(key))
        if packed is None:
            return None
        state, requests, replays, offset = _PACKED.unpack_from(packed)
        return Glance(_STATES[state & ~_DOUBLE], (requests, replays), offset)

    def stake(self, key: bytes) -> Stake | None:
        """What is at risk of an identity; None: nothing."""
        packed = self._packed.get(_digest(key))
        return None if packed is None else _stake(packed)

    def is_settled(self, record: Record, key: bytes) -> bool:
        """Whether the outcome of a record at or after the committed offset is committed.

        `key`: its identity's, or its coordinates'.
        """
        which = 0 if record.topic == self._inputs[0] else 1
        if record.offset in self._beyond[which]:
            return True
        glance = self.glance(key)
        return glance is not None and record.offset <= glance.settled[which]

    def forget_below(self, requests: int, replays: int) -> None:
        """The committed offsets say it all for what lies before them."""
        self._floors = (requests, replays)
        for beyond, floor in zip(self._beyond, (requests, replays), strict=True):
            for offset in [offset for offset in beyond if offset < floor]:
                beyond.discard(offset)

    def _is_coordinates(self, key: bytes) -> bool:
        # An identity's second part is a claim type, never a number.
        topic, _, rest = key.decode(errors="replace").partition("/")
        return topic in self._inputs and all(part.isdecimal() for part in rest.split("/"))


def _stake(packed: bytes) -> Stake | None:
    return unpack(packed[_PACKED.size :]) if len(packed) > _PACKED.size else None


def _digest(key: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(key, digest_size=16).digest(), "big")
