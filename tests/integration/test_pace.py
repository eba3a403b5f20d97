"""The pace of calls, on a worker: an API that is asked too much, with a bound on calls per second."""

from tests.brokers.waiting import until
from tests.integration.events import event
from tests.integration.harness import Scene
from worker.demo.simulator_faults import Fault


async def test_an_api_that_is_asked_too_much_is_asked_less_and_nothing_is_lost(scene: Scene) -> None:
    worker = scene.worker(KRAVIA_CALLS_PER_SECOND="50", WORKER_MAX_IN_FLIGHT="32", WORKER_RETRY_ATTEMPTS="1000")
    scene.kravia.faults(Fault(kind="status", step="register", status=429, retry_after=1))
    await worker.run()
    assert await worker.metric("calls_in_flight_limit") == 32
    sent = await scene.send(*(event(f"much-{number}", documents=1) for number in range(40)))
    await until(lambda: worker.metric("calls_in_flight_limit"), lambda limit: limit < 32)

    # Now the gate closes. It opens again, though whoever waits there has the turn, and the others wait for it.
    scene.kravia.faults(Fault(kind="status", step="register", status=401))
    await until(lambda: worker.metric("gate_state", state="closed"), lambda closed: closed == 1)
    scene.kravia.faults()
    outcomes = await scene.close_books(sent)
    assert scene.tally(outcomes.values()) == {"scheduled": len(sent)}
