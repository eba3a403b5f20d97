"""What an API call came to: one closed union for all steps. Which members a step may return says `KraviaApi`."""

from dataclasses import dataclass
from typing import assert_never


@dataclass(frozen=True, slots=True)
class Registered:
    """2xx to register with a readable id, which is opaque."""

    invoice_id: str
    status: int = 200


@dataclass(frozen=True, slots=True)
class Done:
    """2xx to attach or start."""

    status: int = 200


@dataclass(frozen=True, slots=True)
class NotSent:
    """Certain: no byte of the request left. `why` is a class such as `connect`, `tls`, `pool`, `expired`."""

    why: str


@dataclass(frozen=True, slots=True)
class Throttled:
    """429, or 503 with Retry-After. `retry_after` in seconds, where the answer named it."""

    status: int
    retry_after: float | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A definite refusal of this event: 400, 413, 415, 422 and other 4xx. `hint` is bounded and names no values."""

    status: int
    hint: str = ""


@dataclass(frozen=True, slots=True)
class AlreadyThere:
    """409, or a body that matches `already_exists_patterns`."""

    status: int


@dataclass(frozen=True, slots=True)
class Stop:
    """401, a redirect, or 404 on register: the fault is ours or the API's as a whole; the intake stops."""

    status: int


@dataclass(frozen=True, slots=True)
class Forbidden:
    """403: this creditor is not ours to bill, or the token has lost its rights."""

    status: int = 403


@dataclass(frozen=True, slots=True)
class NotVisible:
    """404 to attach or start: the invoice does not show yet."""

    status: int = 404


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may have been carried out: 408, 5xx, time-out, connection lost, 2xx without a readable id.

    `kind`: `timeout`, `lost`, `server_error`, `request_timeout`, `no_id`. `fields` names what a 2xx without an id
    held (names only).
    """

    kind: str
    status: int | None = None
    retry_after: float | None = None
    fields: tuple[str, ...] = ()


Answer = Registered | Done | NotSent | Throttled | Refused | AlreadyThere | Stop | Forbidden | NotVisible | Unclear


def answer_class(answer: Answer) -> str:
    """A bounded name of an answer, for facts, metrics and receipts."""
    match answer:
        case Registered() | Done():
            return "ok"
        case NotSent(why):
            return f"not_sent_{why}"
        case Unclear(kind, _, _, _):
            return kind
        case Throttled(status, _):
            return f"throttled_{status}"
        case Refused(status, _):
            return f"refused_{status}"
        case AlreadyThere():
            return "already_there"
        case Stop(status):
            return f"stop_{status}"
        case Forbidden():
            return "forbidden"
        case NotVisible():
            return "not_visible"
        case _ as unreachable:
            assert_never(unreachable)


def http_status(answer: Answer) -> int | None:
    """The HTTP status of an answer, where there was one."""
    return None if isinstance(answer, NotSent) else answer.status
