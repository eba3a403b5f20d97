"""What the service promises, and how fast the error budget may burn before somebody is called.

Multi-window, multi-burn-rate alerts after the Google SRE Workbook, chapter 5 ("Alerting on SLOs"), for a 30-day budget:
14.4 times the allowed rate for an hour spends 2 % of it, 6 times for six hours 5 %, and 1 times for three days 10 %.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from worker.telemetry.catalogue import EVENT_AGE


@dataclass(frozen=True, slots=True)
class Objective:
    """`name`: of its goal among the chart's `objectives`. `goal`: the share of records that must be good. `limit`: in
    seconds, where good means in time: a bucket of the event-age histogram."""

    name: str
    goal: float
    limit: int | None = None


SUCCESS: Final = Objective("success", 0.99)
"""Records that do not end as failed. `rejected` is what a producer did wrong, and `repeated` is right: neither spends
the budget."""
AGE: Final = Objective("age", 0.99, limit=300)
"""Events whose outcome is committed in time."""
AGE_LIMITS: Final = tuple(int(bound) for bound in EVENT_AGE.buckets if bound >= 5)
"""What `limit` may be."""


@dataclass(frozen=True, slots=True)
class Burn:
    """Call when the error rate is `factor` times the budget over the long window, and still is over the short one."""

    name: str
    factor: float
    long: timedelta
    short: timedelta
    severity: str


BURNS: Final = (
    Burn("Fast", 14.4, timedelta(hours=1), timedelta(minutes=5), "critical"),
    Burn("Medium", 6.0, timedelta(hours=6), timedelta(minutes=30), "critical"),
    Burn("Slow", 1.0, timedelta(days=3), timedelta(hours=6), "warning"),
)
