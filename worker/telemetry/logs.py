"""Logs: one JSON object (or a console line) for each event, on stdout; aiokafka's and aiohttp's go the same way.

Secrets and personal data stay out by construction: only plain values are written, an object shows as its type; keys
that name such data are masked; and an exception's message is written only where it comes from the operating system,
aiokafka or aiohttp, since others (pydantic's, a codec's) quote the value that they choked on. creditorId, invoiceNo
and claimType, so the identity, may be named.

Every line carries what `structlog.contextvars` holds: the core binds event_id, identity, topic, partition, offset and
step there, so that also what a client library logs meanwhile names its event.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, Literal, TextIO
from uuid import UUID

import structlog
from structlog.types import Processor

Format = Literal["json", "console"]
EventDict = MutableMapping[str, Any]

MASK = "[masked]"
_MASKED_KEYS = frozenset(
    {
        "attachments",
        "authorization",
        "body",
        "content",
        "data",
        "debtorname",
        "debtornumber",
        "email",
        "headers",
        "invoice",
        "organizationnumber",
        "password",
        "payload",
        "postaladdress",
        "saslplainpassword",
        "saslpassword",
        "secret",
        "ssn",
        "token",
        "value",
    }
)
_MESSAGES_FROM = frozenset({"aiokafka", "aiohttp"})
# At DEBUG these print requests with the records in them.
_NEVER_DEBUG = ("aiokafka", "aiohttp", "asyncio")
_MAX_TEXT = 2000
_MAX_CAUSES = 5


def configure(format: Format = "json", level: str = "INFO", stream: TextIO | None = None) -> None:  # noqa: A002  (the setting's name)
    """Route structlog and the standard library's logging to `stream` (stdout) in one format, from `level` on.

    `level` is a name that `logging` knows, in either case, for example info; ValueError names an unknown one. Call it
    once, at start; a second call replaces the first.
    """
    out = stream if stream is not None else sys.stdout
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # The exception's text is made by `_plain`: no renderer may format it a second time, with its message.
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if format == "json"
        else structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(), _first_line],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _plain, renderer],
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _NEVER_DEBUG:
        logging.getLogger(name).setLevel(max(root.level, logging.INFO))
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _first_line(_logger: logging.Logger, _method: str, event: EventDict) -> EventDict:
    """asyncio writes the repr of a failed task, its exception's message included, from the second line on."""
    if event.get("logger") == "asyncio":
        event["event"] = str(event["event"]).partition("\n")[0]
    return event


def _plain(_logger: logging.Logger, _method: str, event: EventDict) -> EventDict:
    """Masked and plain values only; `exc_info` becomes `exception`, a text."""
    exc_info = event.pop("exc_info", None)
    plain = {
        key: MASK if key.replace("_", "").replace("-", "").lower() in _MASKED_KEYS else _value(value)
        for key, value in event.items()
    }
    if exc_info:
        error = _error(exc_info)
        if error is not None:
            plain["exception"] = describe(error)
    return plain


def _value(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return value if len(value) <= _MAX_TEXT else value[:_MAX_TEXT] + "…"
        case datetime():
            return value.isoformat()
        case Decimal() | UUID():
            return str(value)
        case BaseException():
            return _message(value)
        case list() | tuple() | set() | frozenset():
            return [_value(item) for item in value]
        case _:
            return f"<{type(value).__name__}>"


def _error(exc_info: object) -> BaseException | None:
    match exc_info:
        case BaseException():
            return exc_info
        case (_, BaseException() as error, _):
            return error
        case True:
            return sys.exc_info()[1]
        case _:
            return None


def describe(error: BaseException) -> str:
    """An exception and what caused it: where each was raised, its type, and its message where that is safe."""
    parts: list[str] = []
    current: BaseException | None = error
    while current is not None and len(parts) < _MAX_CAUSES:
        parts.append(_frames(current.__traceback__) + _message(current))
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\ncaused by:\n".join(parts)


def _frames(where: TracebackType | None) -> str:
    return "".join(traceback.format_tb(where))


def _message(error: BaseException) -> str:
    name = type(error).__qualname__
    if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _MESSAGES_FROM:
        return f"{name}: {error}"[:_MAX_TEXT]
    return name
