"""Labels and their closed value sets, and how a value that comes from elsewhere finds its place in them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from schemas.rules import RULES
from worker.at_risk import CURRENCIES, OTHER_CURRENCY, Risk
from worker.fetching import SENTENCES
from worker.model import Reason, Refusal, Step
from worker.ports import LostWhy
from worker.standing import State as LedgerState

OTHER = "other"
NONE = "none"


class State(StrEnum):
    """Where an unfinished event stands now."""

    QUEUED = "queued"
    FETCHING = "fetching"
    REGISTERING = "registering"
    ATTACHING = "attaching"
    STARTING = "starting"
    BACKOFF = "backoff"
    GATE = "gate"
    DOUBT = "doubt"
    SETTLING = "settling"

    @classmethod
    def of(cls, waiting: str) -> "State":
        """The state of an event that is in this step (`register` …) or waits so (`queued`, `backoff`, `gate` …)."""
        return _OF_STEP.get(waiting) or cls(waiting)


_OF_STEP: dict[str, State] = {
    Step.FETCH: State.FETCHING,
    Step.REGISTER: State.REGISTERING,
    Step.ATTACH: State.ATTACHING,
    Step.START: State.STARTING,
}


@dataclass(frozen=True, slots=True)
class Label:
    """A label and its values; without values they are known at run time only."""

    name: str
    values: tuple[str, ...] = ()


def _with_other(values: Iterable[str]) -> tuple[str, ...]:
    return (*values, OTHER)


def closest(value: str, known: Iterable[str]) -> str:
    """The known value that `value` is, or is a kind of (`not_sent_connect` is a `not_sent`), else `other`."""
    return max((one for one in known if value == one or value.startswith(f"{one}_")), key=len, default=OTHER)


STEPS = Label("step", _with_other([Step.REGISTER, Step.ATTACH, Step.START, "details", "search"]))
STATUS_CLASSES = Label(
    "status_class",
    _with_other(["1xx", "2xx", "3xx", "4xx", "429", "5xx", "timeout", "lost", "not_sent"]),
)
OUTCOMES = Label("outcome", _with_other(["scheduled", "rejected", "failed", "repeated", "discarded", "resolved"]))
REASONS = Label("reason", (NONE, *dict.fromkeys(_with_other([*Refusal, *Reason]))))
ENDINGS: tuple[tuple[str, ...], ...] = (
    ("scheduled", NONE),
    *(("rejected", reason) for reason in Refusal),
    *(("failed", reason) for reason in Reason),
    ("repeated", NONE),
    ("discarded", NONE),
    ("resolved", NONE),
    (OTHER, OTHER),
)
RETRY_STEPS = Label("step", _with_other(Step))
RETRY_WHYS = Label(
    "why",
    _with_other(
        [
            "not_sent",
            "throttled",
            "forbidden",
            "refused",
            "stop",
            "not_visible",
            "timeout",
            "lost",
            "server_error",
            "request_timeout",
            "no_id",
            "already_there",
            "unreachable",
        ]
    ),
)
_UNFETCHED = ("timeout", "dns", "tls", "connect", "lost", "throttled", "server_error", "status", "spool")
FETCHES = Label("result", _with_other(["ok", *SENTENCES, *_UNFETCHED]))
TOPIC = Label("topic")
PARTITION = Label("partition")
STATES = Label("state", tuple(State))
OWNERSHIP = Label("change", _with_other(["started", "restored", "closed", *LostWhy]))
GATE_STATES = Label("state", ("open", "half_open", "closed"))
GATE_WHYS = Label(
    "why",
    (NONE, *_with_other(["start", "unauthorized", "redirect", "not_found", "forbidden", "failures", "no_id", "probe"])),
)
WARNING_MEANINGS: dict[str, str] = {
    "fetched_before_seek": "records came between a partition's assignment and our seek; they are read again",
    "register_body_buffered": "a register body did not fit the socket's send buffer: its end left unchecked",
    "throttled": "the API answered 429, or 503 with Retry-After: every call waits as long as it asked",
    **{rule.code: f"rule broken: {rule.sentence[:-1]}" for rule in RULES},
}
DOUBT_STATES = Label("state", ("reconciling", "given_up"))
LEDGER_STATES = Label("state", tuple(LedgerState))
RISKS = Label("state", tuple(Risk))
CURRENCY = Label("currency", (*CURRENCIES, OTHER_CURRENCY))
WARNINGS = Label("code", _with_other(WARNING_MEANINGS))
RESOLUTIONS = Label(
    "resolution",
    _with_other(["adopted", "not_registered", "no_witness", "quarantined", "ambiguous", "no_identity", "unreadable"]),
)
SWEEPS = Label("result", _with_other(["complete", "search_failed", "rows_moved", "too_many_pages"]))
LOST_WHYS = Label("why", _with_other(why for why in LostWhy if why is not LostWhy.CLOSED))
COMMIT_WHYS = Label("why", _with_other(["fenced", "refused", "timeout", "unclear", "broken"]))
RESULTS = Label("result", ("ok", "failed"))
SOURCES = Label("source", ("ledger", "journal"))

# Some parts tell what happened in a sentence or a word of their own; these words of it stand for the label's value.
GATE_WHY_WORDS: tuple[tuple[str, str], ...] = (
    ("stop_401", "unauthorized"),
    ("stop_3", "redirect"),
    ("stop_404", "not_found"),
    ("403 for", "forbidden"),
    ("failures in a row", "failures"),
    ("without a readable id", "no_id"),
    ("answers again", "probe"),
    ("start", "start"),
)
SWEEP_WORDS: tuple[tuple[str, str], ...] = (
    ("complete", "complete"),
    ("search:", "search_failed"),
    ("rows moved", "rows_moved"),
    ("more than", "too_many_pages"),
)


def gate_why(state: str, why: str) -> str:
    """The label's value for a state of the gate and its sentence."""
    return NONE if state == "open" else _by_words(GATE_WHY_WORDS, why)


def sweep_result(result: str) -> str:
    """The label's value for how a sweep ended."""
    return _by_words(SWEEP_WORDS, result)


def resolution(kind: str) -> str:
    """The label's value for how a doubt ended."""
    return "not_registered" if kind == "certainlynot" else kind


def _by_words(table: Iterable[tuple[str, str]], text: str) -> str:
    return next((value for words, value in table if words in text), OTHER)
