"""When to try again and when to give up: a decision is a value. Pure; randomness and time are parameters."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Bounds of an event's retries. Times in seconds, counted while the gate is open."""

    attempts: int = 10
    elapsed: float = 900.0
    base: float = 0.5
    cap: float = 60.0
    not_visible_elapsed: float = 120.0
    """How long a 404 on attach or start is believed to mean *not visible yet*."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Try again after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """A bound is reached."""


def decide(
    policy: RetryPolicy,
    *,
    attempts: int,
    elapsed: float,
    jitter: float,
    at_least: float | None = None,
    elapsed_bound: float | None = None,
) -> Wait | GiveUp:
    """What follows a failed attempt.

    `attempts` made so far that count (1 after the first), `elapsed` seconds since the first, `jitter` in [0, 1),
    `at_least`: what the answer's Retry-After asked for, in seconds; `elapsed_bound` replaces the policy's where a
    step has a tighter one. Exponential with full jitter: uniform in [0, min(cap, base * 2^(attempts-1))).
    """
    bound = policy.elapsed if elapsed_bound is None else min(policy.elapsed, elapsed_bound)
    if attempts >= policy.attempts and elapsed_bound is None:
        return GiveUp()
    ceiling = min(policy.cap, policy.base * 2.0 ** min(max(attempts - 1, 0), 30))
    seconds = max(ceiling * jitter, at_least or 0.0)
    if elapsed + seconds > bound:
        return GiveUp()
    return Wait(seconds)


def retry_after(value: str | None, now: datetime, limit: float) -> float | None:
    """Seconds that a Retry-After asks for: delay-seconds or an HTTP date (RFC 9110, section 10.2.3).

    Between 0 (also for a date in the past or a negative number) and `limit`; None when there is none or it can't be
    read. `now` is aware.
    """
    if value is None:
        return None
    text = value.strip()
    if re.fullmatch(r"-?[0-9]{1,18}", text):
        return min(max(float(text), 0.0), limit)
    try:
        date = parsedate_to_datetime(text)
        seconds = ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds()
    except (ValueError, OverflowError):  # what parsedate_to_datetime and date arithmetic raise for what is no date
        return None
    return min(max(seconds, 0.0), limit)
