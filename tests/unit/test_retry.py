"""When to try again, and when to give up."""

from hypothesis import assume, given
from hypothesis import strategies as st

from worker.retry import GiveUp, RetryPolicy, Wait, decide

SECONDS = st.floats(0.001, 1e5)
POLICIES = st.builds(
    RetryPolicy, attempts=st.integers(1, 50), elapsed=SECONDS, base=SECONDS, cap=SECONDS, not_visible_elapsed=SECONDS
)
JITTER = st.floats(0, 1, exclude_max=True)
ASKED = st.none() | st.floats(0, 1e6)


@given(POLICIES, st.integers(0, 2000), SECONDS, JITTER, ASKED, st.none() | SECONDS)
def test_a_wait_keeps_every_bound(policy, attempts, elapsed, jitter, at_least, bound):
    decision = decide(policy, attempts=attempts, elapsed=elapsed, jitter=jitter, at_least=at_least, elapsed_bound=bound)
    if isinstance(decision, GiveUp):
        return
    assert decision.seconds >= (at_least or 0.0), "Retry-After is a lower bound"
    assert decision.seconds <= max(policy.cap, at_least or 0.0)
    assert elapsed + decision.seconds <= min(policy.elapsed, policy.elapsed if bound is None else bound)
    if bound is None:
        assert attempts < policy.attempts


@given(POLICIES, st.integers(1, 60), JITTER)
def test_full_jitter_under_an_exponential_ceiling(policy, attempts, jitter):
    assume(attempts < policy.attempts)
    decision = decide(policy, attempts=attempts, elapsed=0.0, jitter=jitter)
    ceiling = min(policy.cap, policy.base * 2.0 ** (attempts - 1))
    wanted = ceiling * jitter
    assert decision == (Wait(wanted) if wanted <= policy.elapsed else GiveUp())


def test_the_bound_on_attempts_gives_up():
    policy = RetryPolicy(attempts=3)
    assert isinstance(decide(policy, attempts=2, elapsed=0, jitter=0.5), Wait)
    assert isinstance(decide(policy, attempts=3, elapsed=0, jitter=0.5), GiveUp)


def test_the_bound_on_elapsed_time_gives_up_before_a_wait_that_would_pass_it():
    policy = RetryPolicy(elapsed=100)
    assert decide(policy, attempts=1, elapsed=90, jitter=0, at_least=10) == Wait(10)
    assert isinstance(decide(policy, attempts=1, elapsed=90, jitter=0, at_least=10.1), GiveUp)


def test_a_tighter_bound_replaces_the_attempts():
    # A 404 that means *not visible yet* is bounded by time alone.
    policy = RetryPolicy(attempts=2, not_visible_elapsed=120)
    assert isinstance(decide(policy, attempts=50, elapsed=30, jitter=0.5, elapsed_bound=120), Wait)
    assert isinstance(decide(policy, attempts=1, elapsed=121, jitter=0.5, elapsed_bound=120), GiveUp)


def test_what_counts_for_no_bound_waits_as_after_the_first():
    assert decide(RetryPolicy(base=2), attempts=0, elapsed=0, jitter=0.5) == Wait(1)
