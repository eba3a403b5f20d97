"""What this world is like: how the simulated Kravia misbehaves, and worker settings that are true of it."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from worker.demo.simulator_faults import Fault
from worker.demo.simulator_settings import SimulatorSettings

PARTITIONS = 6
LATE = 1.5
"""Seconds after which the simulator carries out a call that it seemed to have dropped: far less than A."""
KRAVIA = SimulatorSettings(latency=0.1, search_delay=1.0, search_jitter=1.5)
"""A search shows an invoice 1 to 2.5 s after it was registered, so out of order by up to 1.5 s."""

FAULTS: tuple[Fault, ...] = (
    # Of each 100 registers: certainly not carried out …
    Fault(kind="status", step="register", status=429, retry_after=1, probability=0.01),
    # … carried out, and the answer lost …
    Fault(kind="lost", step="register", probability=0.05),
    Fault(kind="status", step="register", status=502, processed=True, probability=0.01),
    Fault(kind="hang", step="register", processed=True, probability=0.005),
    # … not carried out, which looks the same …
    Fault(kind="reset", step="register", probability=0.02),
    Fault(kind="status", step="register", status=500, probability=0.01),
    Fault(kind="hang", step="register", probability=0.003),
    # … and carried out later, which looks the same at first.
    Fault(kind="late", step="register", delay=LATE, probability=0.01),
    Fault(kind="late", step="register", delay=LATE, status=504, probability=0.01),
    Fault(kind="slow", step="register", delay=1.0, probability=0.02),
    Fault(kind="status", step="attach", status=500, probability=0.03),
    Fault(kind="lost", step="attach", probability=0.02),
    Fault(kind="status", step="start", status=500, processed=True, probability=0.03),
    Fault(kind="status", step="start", status=503, retry_after=1, probability=0.01),
    Fault(kind="lost", step="start", probability=0.02),
    Fault(kind="status", step="details", status=500, probability=0.02),
    Fault(kind="reset", step="search", probability=0.02),
)

SESSION_TIMEOUT = 8.0
SETTINGS: Mapping[str, str] = {
    # V, T, A, D, E and the search's disorder: short, and true of the simulator as it is above.
    "WORKER_INTENT_VALIDITY": "4",
    "KRAVIA_REGISTER_TIMEOUT": "3",
    "KRAVIA_LATE_PROCESSING": "4",
    "KRAVIA_SEARCH_DELAY": "4",
    "KRAVIA_SEARCH_DISORDER": "2.5",
    "WORKER_CLOCK_ERROR": "0.5",
    "WORKER_SWEEP_INTERVAL": "1",
    # Generous where a bound would end an event that nothing is wrong with.
    "WORKER_WITNESS_TIMEOUT": "600",
    "WORKER_DOUBT_REGISTERS": "10",
    "WORKER_RETRY_ATTEMPTS": "50",
    # Short where a failure must be noticed.
    "KRAVIA_CONNECT_TIMEOUT": "3",
    "KRAVIA_READ_TIMEOUT": "5",
    "KRAVIA_ATTACH_TIMEOUT": "5",
    "KRAVIA_START_TIMEOUT": "5",
    "KRAVIA_QUERY_TIMEOUT": "5",
    "KAFKA_SESSION_TIMEOUT": f"{SESSION_TIMEOUT:g}",
    "KAFKA_REBALANCE_TIMEOUT": "12",
    "KAFKA_MAX_POLL_INTERVAL": "40",
    "KAFKA_TRANSACTION_TIMEOUT": "15",
    "WORKER_COMMIT_TIMEOUT": "6",
    "WORKER_DRAIN_TIMEOUT": "10",
}

BROKER_EVERY, BROKER_DOWN = 20.0, 10.0
"""Seconds from one broker's kill to the next one's at the least, and until it is started again."""
WORKER_LIVES = (12.0, 40.0)
"""Seconds, drawn between these, that a worker is left alone."""
WORKER_DOWN = (0.5, 3.0)
WORKER_FROZEN = (SESSION_TIMEOUT + 2.0, SESSION_TIMEOUT + 8.0)
"""Longer than the session time-out: it is evicted, and wakes up as somebody whom others took for dead."""
KILLED_RATHER_THAN_FROZEN = 0.6


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says. `minutes`: how long trouble lasts; after it as long again, and five at least."""

    seed: int = 1
    events: int = 2000
    minutes: float = 5.0
    workers: int = 3
    json: Path | None = None
    directory: Path | None = None

    @property
    def trouble(self) -> float:
        """Seconds of trouble."""
        return self.minutes * 60

    @property
    def patience(self) -> float:
        """Seconds after it in which everything must be settled."""
        return max(self.trouble, 300.0)


def read_options(arguments: Sequence[str] | None = None) -> Options:
    """The command line; exits with a usage message where it is wrong."""
    known = Options()
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description="Three Kafka brokers and real workers, killed and frozen at random while events run; then the "
        "books are checked. docs/explanation/chaos.md says what must hold. Exit status 0: all of it does.",
    )
    parser.add_argument("--seed", type=int, default=known.seed, help="of the events, the faults and the troubles")
    parser.add_argument("--events", type=_positive, default=known.events, help=f"default {known.events}")
    parser.add_argument(
        "--minutes",
        type=float,
        default=known.minutes,
        help=f"how long trouble lasts, the events spread over it (default {known.minutes:g}); then everything must be "
        "settled within as long again, and five minutes at least",
    )
    parser.add_argument("--workers", type=_positive, default=known.workers, help=f"default {known.workers}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there too, as JSON")
    parser.add_argument("--directory", type=Path, help="keep logs and broker data there (default: thrown away)")
    return Options(**vars(parser.parse_args(arguments)))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number
