"""The five calls of the simulated Kravia: from a request to what it does to the ledger. No I/O."""

import json
import re
from dataclasses import dataclass
from urllib.parse import unquote

from yarl import URL

from worker.demo.simulator_faults import SimulatedStep
from worker.demo.simulator_ledger import Invoice, Ledger, from_ticks
from worker.demo.simulator_settings import SimulatorSettings
from worker.demo.simulator_wire import Faulty, Registration, decode_base64, read_form, read_registration

_PREFIX = "/api/v2/invoice/"
_OF_ONE = re.compile(r"([^/]+)/(document|action|details)")
_STEPS: dict[tuple[str, str], SimulatedStep] = {
    ("POST", "document"): "attach",
    ("POST", "action"): "start",
    ("GET", "details"): "details",
}

Result = tuple[int, bytes]
"""Status and body of an answer."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request to one of the endpoints."""

    step: SimulatedStep
    url: URL
    content_type: str
    body: bytes
    invoice_id: str | None
    registration: Registration | Faulty | None
    """Register only: its body, read."""

    def identity(self, ledger: Ledger) -> str | None:
        """Which invoice it is about, where that can be told."""
        if isinstance(self.registration, Registration):
            return self.registration.identity
        known = ledger.by_id.get(self.invoice_id or "")
        return None if known is None else known.identity


def open_call(method: str, url: URL, content_type: str, body: bytes) -> Call | None:
    """Which endpoint a request is for; None: there is no such one."""
    path = url.raw_path
    if not path.startswith(_PREFIX):
        return None
    rest = path[len(_PREFIX) :]
    if method == "POST" and rest == "register":
        return Call("register", url, content_type, body, None, read_registration(body))
    if method == "GET" and rest == "search":
        return Call("search", url, content_type, body, None, None)
    found = _OF_ONE.fullmatch(rest)
    step = _STEPS.get((method, found[2])) if found else None
    if found is None or step is None:
        return None
    return Call(step, url, content_type, body, unquote(found[1]), None)


def carry_out(call: Call, ledger: Ledger, settings: SimulatorSettings) -> Result:
    """Do it. ASSUMPTION: every status but 200 and every field of a body."""
    if call.step == "register":
        return _register(call, ledger, settings)
    if call.step == "search":
        return _search(call, ledger, settings)
    invoice = ledger.by_id.get(call.invoice_id or "")
    if invoice is None:
        return 404, b""
    if call.step == "details":
        return 200, _json(ledger.details(invoice))
    return _attach(call, ledger, invoice) if call.step == "attach" else _start(call, ledger, invoice)


def _register(call: Call, ledger: Ledger, settings: SimulatorSettings) -> Result:
    if not call.content_type.startswith("application/json"):
        return 415, b""
    if not isinstance(call.registration, Registration):
        errors = call.registration.errors if call.registration else {}
        return 422, _json({"errors": {name: [rule] for name, rule in errors.items()}})
    if settings.on_duplicate == "conflict" and call.registration.identity in ledger.by_identity:
        return 409, b""
    invoice = ledger.register(call.registration, call.body, settings.search_delay, settings.search_jitter)
    match settings.id_form:
        case "number":
            return 200, _json(invoice.id)
        case "string":
            return 200, _json(str(invoice.id))
        case "none":
            return 200, _json({"registered": True, "reference": {"number": invoice.id}})
        case name:
            return 200, _json({name: invoice.id})


def _attach(call: Call, ledger: Ledger, invoice: Invoice) -> Result:
    if call.url.query.getall("type", []) != ["InvoiceAttachment"]:
        return 400, b""
    part = read_form(call.content_type, call.body)
    if part is None:
        return 500, b""  # "may answer a malformed multipart body with 500" (docs/reference/kravia-api.md)
    if part.name != "file":
        return 422, _json({"errors": {"file": ["required"]}})
    content = decode_base64(part.content) if part.file_name is None else part.content
    if content is None:
        return 422, _json({"errors": {"file": ["not base64"]}})
    ledger.attach(invoice, content, part)
    return 200, b""


def _start(call: Call, ledger: Ledger, invoice: Invoice) -> Result:
    if call.url.query.getall("action", []) != ["Start"]:
        return 400, b""
    part = read_form(call.content_type, call.body)
    if part is None:
        return 500, b""
    if part.name != "Message" or part.file_name is not None:
        return 422, _json({"errors": {"Message": ["required"]}})
    ledger.start(invoice, part.content.decode("utf-8", "replace"))
    return 200, b""


def _search(call: Call, ledger: Ledger, settings: SimulatorSettings) -> Result:
    query = call.url.query
    since = from_ticks(query.get("lastUpdatedTime", ""))
    skip, top = query.get("skip", ""), query.get("top", "")
    ordered = query.get("byAscending") == "True" and query.get("orderBy") == "11"
    if since is None or not skip.isdecimal() or not top.isdecimal() or not ordered:
        return 400, b""
    return 200, _json(ledger.search(since, int(skip), int(top), settings.row_fields))


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
