"""What the metrics say of the gate."""

from datetime import UTC, datetime

import pytest

from tests.unit.scraped import value
from worker.answers import Answer, Forbidden, NotSent, Stop, Unclear
from worker.flow import Creditors
from worker.gate import Gate, GatePolicy
from worker.model import Step
from worker.telemetry.labels import GATE_STATES
from worker.telemetry.metrics import PrometheusObserver


class StillClock:
    """The gate's clock, as far as these tests need one: it stands still."""

    def now(self) -> datetime:
        return datetime(2026, 3, 2, tzinfo=UTC)

    def boottime(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return 0.0


def test_the_gate_is_in_one_state():
    observer = PrometheusObserver()
    assert value(observer, "gate_state", state="half_open") == 1
    observer.gate("closed", "register stop_401")
    assert [value(observer, "gate_state", state=state) for state in GATE_STATES.values] == [0, 0, 1]
    assert value(observer, "gate_why", why="unauthorized") == 1
    observer.gate("open", "")
    assert [value(observer, "gate_state", state=state) for state in GATE_STATES.values] == [1, 0, 0]
    assert value(observer, "gate_why", why="unauthorized") == 0
    assert value(observer, "gate_why", why="none") == 1
    assert value(observer, "gate_changes_total", state="closed") == 1


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Stop(401), "unauthorized"),
        (Stop(302), "redirect"),
        (Stop(404), "not_found"),
        (NotSent("connect"), "failures"),
        (Unclear("no_id", 200, None, ("reference",)), "no_id"),
    ],
)
async def test_the_gates_own_sentences_lead_to_a_label(answer: Answer, why: str):
    async def probe() -> Answer:
        return answer

    observer = PrometheusObserver()
    gate = Gate(GatePolicy(), probe, StillClock(), observer)
    assert value(observer, "gate_why", why="start") == 1
    async with gate.passage(Step.REGISTER) as passage:
        passage.answer = answer
    assert value(observer, "gate_state", state="closed") == 1
    assert value(observer, "gate_why", why=why) == 1


async def test_a_creditors_gate_says_forbidden():
    async def probe() -> Answer:
        return Forbidden()

    observer = PrometheusObserver()
    creditors = Creditors(Gate(GatePolicy(), probe, StillClock(), observer), StillClock(), several=2)
    for creditor in (1, 2):
        creditors.answered(creditor, forbidden=True)
    assert value(observer, "gate_why", why="forbidden") == 1
