"""What the core tells telemetry."""

from worker.model import Step


class Observer:
    """What the core tells telemetry. Every method does nothing here; `telemetry` overrides them all."""

    def consumed(self, topic: str, partition: int) -> None: ...

    def settled(self, partition: int, outcome: str, reason: str, age_seconds: float) -> None: ...

    def called(self, step: str, status_class: str, seconds: float) -> None: ...

    def retried(self, step: Step, why: str) -> None: ...

    def backed_off(self, step: Step, seconds: float) -> None:
        """An event begins to wait so long before its next attempt."""

    def committed(self, partition: int, records: int, seconds: float) -> None: ...

    def commit_failed(self, why: str) -> None:
        """A settlement's transaction failed, or its end is not known (`LostWhy`)."""

    def rebalanced(self) -> None:
        """The group rebalances, and this member takes part."""

    def ownership(self, partition: int, what: str) -> None:
        """`started`, `restored`, `closed`, or why it was lost (`LostWhy`)."""

    def restored(self, partition: int, seconds: float, ledger_records: int, journal_records: int) -> None: ...

    def resolved(self, kind: str) -> None:
        """A doubt ended: `adopted`, `certainlynot`, or why it was given up."""

    def swept(self, result: str, rows: int, seconds: float) -> None:
        """A sweep of the search ended: `complete`, or its problem."""

    def trimmed(self, ok: bool) -> None: ...

    def gate(self, state: str, why: str) -> None:
        """`open`, `half_open`, `closed`."""

    def fetched(self, result: str, size: int, seconds: float) -> None:
        """A document was fetched, or was not: `ok`, or the code or class of what came instead; `size` in bytes read."""

    def spooled(self, size: int) -> None:
        """So many bytes of space for documents are taken now."""

    def warned(self, what: str) -> None:
        """Something odd that does not end an event, by its code."""
