"""`WORKER_*`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from worker.faults import FAULT_POINT, FaultPoint, NotAFaultPoint, parse_fault_point
from worker.settings.fields import count, optional, seconds, size
from worker.verdict import DEFAULT_REPLAY_LIMIT


def _fault_point(text: str | None) -> str | None:
    if text is not None and isinstance(parsed := parse_fault_point(text), NotAFaultPoint):
        raise ValueError(parsed.allowed)
    return text


class WorkerSettings(BaseModel):
    """How the process works: budgets, bounds, retries, its gate, its server and its logs."""

    worker_intent_validity: float = seconds(
        5, "V: how long an intent is good for, counted from before it was handed to the producer.", at_most=300
    )
    worker_clock_error: float = seconds(
        5,
        "E: how far two machines' clocks may disagree. A guess: set it to what your time service promises.",
        zero=True,
    )
    worker_in_doubt: Literal["witness", "quarantine"] = Field(
        default="witness",
        description="What becomes of an intent whose call may have been carried out and which the search does not "
        "show: registered again once a witness proves that the search would show it, or never again without a person.",
    )
    worker_witness_timeout: float = seconds(
        1800,
        "How long a witness is waited for once a doubt's waits are over; then the event is a dead letter, reason "
        "`in_doubt`, and a person decides.",
        at_most=7 * 86_400,
    )
    worker_sweep_interval: float = seconds(10, "Time between two sweeps of the search while a doubt is open.")
    worker_sweep_pages: int = count(2_000, "Most pages of one sweep; one that needs more is not believed.")
    worker_doubt_registers: int = count(
        3, "How often an event is registered again after a witness proved that the call before was not carried out."
    )
    worker_settle_interval: float = seconds(
        0.05, "A busy partition commits no more often than this; a quiet one at once.", at_most=10, zero=True
    )
    worker_commit_timeout: float = seconds(
        10, "Longest wait for the end of a transaction; a commit not known by then ends the ownership.", at_most=300
    )
    worker_drain_timeout: float = seconds(
        45, "Budget of a stop or a rebalance: events under way end and are committed within it.", at_most=3_600
    )
    worker_grace: float = seconds(
        60,
        "What the platform grants between SIGTERM and SIGKILL (Kubernetes: `terminationGracePeriodSeconds`); only "
        "compared with the drain time-out.",
        at_most=7_200,
    )
    worker_trim_interval: float = seconds(5, "Time between two trims of the journal.", at_most=3_600)
    worker_max_in_flight: int = count(128, "Most events under way in this process.", at_most=100_000)
    worker_max_in_flight_bytes: int = size(
        64 * 1024 * 1024,
        "Most bytes of records under way in this process. One that is larger goes alone.",
        at_least=1024 * 1024,
        at_most=2**40,
    )
    worker_partition_window: int = count(
        1_000, "Most unsettled records that are read ahead for each partition.", at_most=1_000_000
    )
    worker_retry_attempts: int = count(
        10, "Most attempts of an event, all steps together, before it becomes a dead letter."
    )
    worker_retry_elapsed: float = seconds(
        900,
        "Longest time that an event is retried before it becomes a dead letter; time behind a closed gate counts not.",
        at_most=7 * 86_400,
    )
    worker_retry_base: float = seconds(0.5, "First back-off; doubled each time, drawn with full jitter.", at_most=3_600)
    worker_retry_cap: float = seconds(60, "Longest back-off.", at_most=3_600)
    worker_not_visible_elapsed: float = seconds(
        120, "How long attach and start are retried while the API answers 404 to an invoice that was just registered."
    )
    worker_replay_limit: int = count(
        DEFAULT_REPLAY_LIMIT,
        "How often one invoice may be replayed; one replay more is refused: something replays it in a loop.",
        at_most=DEFAULT_REPLAY_LIMIT + 10,
    )
    worker_gate_failures: int = count(5, "Failures in a row that close the gate, which stops the intake.")
    worker_gate_probe_interval: float = seconds(1, "Time to the first probe behind a closed gate.", at_most=3_600)
    worker_gate_probe_max: float = seconds(60, "Longest time between two probes.", at_most=3_600)
    worker_observe_prefix: str = Field(
        default="observe.",
        pattern=r"^[A-Za-z0-9._-]{1,60}$",
        description="What `worker run --observe` puts before the group and before every topic but the requests.",
        json_schema_extra={"allowed": "letters, digits, dot, underscore and dash, at most 60"},
    )
    worker_http_host: str = Field(
        default="0.0.0.0",  # noqa: S104 - probes and scrapers come from outside the container
        min_length=1,
        description="Address that `/metrics`, `/livez` and `/readyz` listen on.",
    )
    worker_http_port: int = count(8080, "Their port; 0 picks a free one, which is logged.", at_least=0, at_most=65_535)
    worker_log_format: Literal["json", "console"] = Field(
        default="json", description="One JSON object on each line, or lines for people."
    )
    worker_log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged."
    )
    worker_tracing: Literal["off", "on"] = Field(
        default="off",
        description="Send OpenTelemetry spans by OTLP over HTTP. Needs the extra `otel`; where to and how many say the "
        "standard `OTEL_…` variables of the environment.",
    )
    worker_secrets_dir: Path = Field(
        default=Path("/run/secrets"),
        description="A directory whose files are settings: the file's name is the setting's, in upper or lower case, "
        "its text the value. The environment and `.env` go before it. Not itself read from there.",
    )
    worker_fault_point: Annotated[str | None, AfterValidator(_fault_point)] = optional(
        "For tests: kill or freeze the process at a step, refused unless `WORKER_ALLOW_FAULTS=1`.",
        allowed=FAULT_POINT,
    )
    worker_allow_faults: bool = Field(default=False, description="For tests: allow `WORKER_FAULT_POINT`.")

    @property
    def fault_point(self) -> FaultPoint | None:
        """The parsed fault point, where one is set."""
        if self.worker_fault_point is None:
            return None
        parsed = parse_fault_point(self.worker_fault_point)
        return parsed if isinstance(parsed, FaultPoint) else None
