"""When to try again and when to give up: a decision is a value. Pure; randomness and time are parameters."""

from dataclasses import dataclass


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
