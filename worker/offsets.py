"""Which offset of an input partition may be committed: the contiguous prefix of settled records.

Pure and synchronous. Invariants: every offset below `next` was settled or never existed (control records, compaction);
an offset is pending from `take` to `settle`; `next` never goes back.
"""


class Prefix:
    """Offsets of one input partition from `start` on, taken in increasing order, settled in any."""

    def __init__(self, start: int) -> None:
        """`start`: the committed offset, or the log's start where nothing was committed."""
        self._taken = start
        self._pending: dict[int, None] = {}

    def take(self, offset: int) -> bool:
        """A record was delivered. False when it was delivered before (a seek went back): leave it alone."""
        if offset < self._taken:
            return False
        self._taken = offset + 1
        self._pending[offset] = None
        return True

    def settle(self, offset: int) -> None:
        """Its outcome is in the transaction that is about to be committed, or was committed before."""
        self._pending.pop(offset, None)

    def advance(self, position: int) -> None:
        """The consumer stands at `position`: past control records, which are never delivered, if nothing is pending."""
        if not self._pending and position > self._taken:
            self._taken = position

    @property
    def next(self) -> int:
        """What to commit: the oldest pending offset, else the one after the last that was taken."""
        return next(iter(self._pending), self._taken)

    @property
    def position(self) -> int:
        """Where the consumer goes on: the offset after the last that was taken."""
        return self._taken

    @property
    def pending(self) -> int:
        """How many records are taken and not settled."""
        return len(self._pending)
