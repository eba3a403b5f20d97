"""What the pipeline's steps work with, and the wait between two attempts."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from worker.answers import Answer
from worker.course import Course
from worker.flow import Budget, Creditors
from worker.gate import Gate
from worker.model import Failed, Reason
from worker.ports import Clock, DocumentStore, Faults, KraviaApi, Observer
from worker.reconcile import Reconciler
from worker.retry import GiveUp, RetryPolicy, decide
from worker.saga import Again, Ask
from worker.spans import NO_TRACES, Tracer
from worker.verdict import DEFAULT_REPLAY_LIMIT


@dataclass(frozen=True, slots=True)
class Tools:
    """One set for the process. `jitter` gives numbers in [0, 1)."""

    api: KraviaApi
    documents: DocumentStore
    gate: Gate
    creditors: Creditors
    reconciler: Reconciler
    budget: Budget
    policy: RetryPolicy
    clock: Clock
    faults: Faults
    observer: Observer
    attach_unknown_to_person: bool = False
    replay_limit: int = DEFAULT_REPLAY_LIMIT
    jitter: Callable[[], float] = random.random
    tracer: Tracer = NO_TRACES


async def back_off(
    tools: Tools, course: Course, answer: Answer, verdict: Again | Ask, *, counts: bool = True
) -> Failed | None:
    """Wait before the next attempt; an ending when a bound is reached.

    `counts`: against the bound on attempts. Elapsed time is the gate's open time, so an outage costs no event.
    """
    course.failed(answer, tools.clock.now(), tools.gate.open_time())
    tools.observer.retried(course.step, verdict.why)
    if isinstance(verdict, Again) and verdict.forbidden:
        return None  # the creditor's pause is the wait, its elapsed bound the end
    gave_up = await wait_or_give_up(
        tools,
        course,
        counts=counts,
        at_least=verdict.at_least if isinstance(verdict, Ask) else None,
        elapsed_bound=tools.policy.not_visible_elapsed if isinstance(verdict, Again) and verdict.not_visible else None,
    )
    return course.gave_up(verdict) if gave_up else None


async def wait_or_give_up(
    tools: Tools,
    course: Course,
    *,
    counts: bool = True,
    at_least: float | None = None,
    elapsed_bound: float | None = None,
) -> bool:
    """Wait as the retry policy says (see `retry.decide`); True, at once, when a bound is reached."""
    open_time = tools.gate.open_time()
    course.counted += counts
    decision = decide(
        tools.policy,
        attempts=course.counted if counts else 0,
        elapsed=open_time - (open_time if course.failing_since is None else course.failing_since),
        jitter=tools.jitter(),
        at_least=at_least,
        elapsed_bound=elapsed_bound,
    )
    if isinstance(decision, GiveUp):
        return True
    tools.observer.backed_off(course.step, decision.seconds)
    course.backs_off(decision.seconds, tools.clock.monotonic())
    await asyncio.sleep(decision.seconds)
    return False


async def creditors_turn(tools: Tools, course: Course) -> Failed | None:
    """Wait while this event's creditor is paused (403); an ending when its time or its share of places is up."""
    creditor = course.event.creditor_id
    while (left := tools.creditors.pause_left(creditor)) > 0:
        if course.failing_since is None:
            course.failing_since = tools.gate.open_time()
        elapsed = tools.gate.open_time() - course.failing_since
        with tools.creditors.waiting(course.own.partition) as allowed:
            if not allowed or elapsed + left > tools.policy.elapsed:
                return course.ends(Reason.FORBIDDEN)
            tools.observer.backed_off(course.step, left)
            course.backs_off(left, tools.clock.monotonic())
            course.let_go()
            async with course.slot.aside():
                await asyncio.sleep(left)
    tools.creditors.try_now(creditor)
    return None
