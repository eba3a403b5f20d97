"""What an answer means. Pure: status, headers and body in, an `Answer` out.

Kravia documents neither its status codes nor its error bodies: the table (docs/explanation/failures.md) is HTTP's
(RFC 9110, section 15), read so that whatever may have been carried out is never taken for *not carried out*.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from worker.answers import (
    AlreadyThere,
    Answer,
    Done,
    Forbidden,
    NotSent,
    NotVisible,
    Refused,
    Registered,
    Stop,
    Throttled,
    Unclear,
)
from worker.kravia.reading import field_names, read_id
from worker.retry import retry_after

SEARCHED_FOR_PATTERNS = 64 * 1024
"""Characters of an error body that patterns are searched in."""
_HINT_LENGTH = 200


class Endpoint(StrEnum):
    """The five calls. The first three are `model.Step`'s."""

    REGISTER = "register"
    ATTACH = "attach"
    START = "start"
    DETAILS = "details"
    SEARCH = "search"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came, read to its end (`body` is then whole) or up to the bound on answers."""

    status: int
    headers: Mapping[str, str]
    """Looked up without regard to case."""
    body: str
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say about answers."""

    id_pointer: str | None = None
    already_exists: tuple[re.Pattern[str], ...] = ()
    retry_after_limit: float = 3600.0


def classify(endpoint: Endpoint, reply: Reply, rules: Rules, now: datetime) -> Answer:
    """The table, row by row. For details and search a 2xx is `Done`: their body is for `reading`."""
    status = reply.status
    if 200 <= status <= 299:
        return _registered(reply, rules) if endpoint is Endpoint.REGISTER else Done(status)
    wait = retry_after(reply.headers.get("Retry-After"), now, rules.retry_after_limit)
    # Rows that are decided before a request reaches the invoice: whatever their body says, nothing was carried out.
    if status == 401 or 300 <= status <= 399:
        return Stop(status)
    if status == 403:
        return Forbidden(status)
    if status == 429:
        return Throttled(status, wait)
    # A statement that it exists outweighs the status it came with.
    if status == 409 or _already_exists(reply.body, rules):
        return AlreadyThere(status)
    if status == 503 and wait is not None:
        return Throttled(status, wait)
    if status == 404:
        return Stop(status) if endpoint in (Endpoint.REGISTER, Endpoint.SEARCH) else NotVisible(status)
    if status == 408:
        return Unclear("request_timeout", status, wait)
    if 400 <= status <= 499:
        return Refused(status, _hint(reply))
    # 5xx, and what is no answer at all (101, 600 and above): in doubt is the safe side.
    return Unclear("server_error", status, wait)


def _registered(reply: Reply, rules: Rules) -> Answer:
    if not reply.whole:
        return Unclear("no_id", reply.status)
    invoice_id = read_id(reply.body, reply.headers.get("Content-Type"), rules.id_pointer)
    if invoice_id is None:
        return Unclear("no_id", reply.status, fields=field_names(reply.body))
    return Registered(invoice_id, reply.status)


def _already_exists(body: str, rules: Rules) -> bool:
    searched = body[:SEARCHED_FOR_PATTERNS]
    return any(pattern.search(searched) for pattern in rules.already_exists)


def _hint(reply: Reply) -> str:
    """Names of the fields of an error body, never its values: they may hold personal data."""
    names = field_names(reply.body) if reply.whole else ()
    return f"the answer's fields: {', '.join(names)}"[:_HINT_LENGTH] if names else ""


def status_class(answer: Reply | NotSent | Unclear) -> str:
    """How a call ended, as a bounded name for metrics: `2xx`, `429`, `5xx`, `timeout`, `lost`, `not_sent`, … ."""
    match answer:
        case NotSent():
            return "not_sent"
        case Unclear(kind):
            return "timeout" if kind == "timeout" else "lost"
        case Reply(status):
            if status == 429:
                return "429"
            return f"{status // 100}xx" if 100 <= status <= 599 else "other"
        case _ as unreachable:
            assert_never(unreachable)
