"""Steering the simulated Kravia from another process: JSON under `/_sim/`, for loopback only (it checks nobody).

| request | does |
| --- | --- |
| GET `state` | settings, faults in force, whether it is down, what is still to be carried out |
| GET `stats` | calls by step and result, and the ledger's totals (`registered_twice` is the verdict) |
| GET `ledger[?identity=…]` | what was done, by identity |
| GET `body?id=…` | a register body, byte for byte |
| POST `faults` | a list of faults (see `simulator_faults.Fault`) replaces those in force |
| POST `settings` | an object with the settings to change |
| POST `token` | `{"token": …}`: from now on only this one is accepted |
| POST `down` | `{"mode": "503"}` or `{"mode": "reset"}` refuses every call; POST `up` ends it |
| POST `reset` | forget everything but the settings |
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from worker.demo.simulator_faults import Fault

if TYPE_CHECKING:
    from worker.demo.simulator import Simulator

_FAULTS = TypeAdapter(tuple[Fault, ...])


async def handle(simulator: "Simulator", request: web.BaseRequest) -> web.Response:
    """One control request. A wrong one is answered with 400 and a sentence, an unknown one with 404."""
    name = request.path.removeprefix("/_sim/")
    if request.method == "GET":
        return _read(simulator, name, request.rel_url.query)
    if request.method != "POST":
        return _sentence(405, "GET or POST")
    content = await request.read()
    try:
        return _steer(simulator, name, json.loads(content) if content else {})
    except ValidationError as error:
        where = "; ".join(f"{'/'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        return _sentence(400, where)
    except ValueError as error:  # not JSON
        return _sentence(400, f"the body must be JSON: {error}")


def stats(simulator: "Simulator") -> dict[str, object]:
    """What GET `stats` answers."""
    calls: dict[str, dict[str, int]] = {}
    for (step, result), count in sorted(simulator.calls.items()):
        calls.setdefault(step, {})[result] = count
    return {"calls": calls, "connections": simulator.connections, "late": simulator.late} | simulator.ledger.totals()


def _read(simulator: "Simulator", name: str, query: Mapping[str, str]) -> web.Response:
    match name:
        case "state":
            return web.json_response(
                {
                    "settings": simulator.settings.model_dump(mode="json"),
                    "faults": [fault.model_dump(mode="json") for fault in simulator.script.faults],
                    "down": simulator.down,
                    "late": simulator.late,
                }
            )
        case "stats":
            return web.json_response(stats(simulator))
        case "ledger":
            return web.json_response(simulator.ledger.entries(query.get("identity")))
        case "body":
            invoice = simulator.ledger.by_id.get(query.get("id", ""))
            if invoice is None:
                return _sentence(404, "no such invoice: give ?id=…")
            return web.Response(body=invoice.body, content_type="application/json")
        case _:
            return _unknown(name)


def _steer(simulator: "Simulator", name: str, value: object) -> web.Response:
    fields = value if isinstance(value, dict) else {}
    match name:
        case "faults":
            simulator.faults(*_FAULTS.validate_python(value))
        case "settings":
            changed = simulator.settings.model_dump() | fields
            simulator.settings = type(simulator.settings).model_validate(changed)
        case "token":
            if not isinstance(fields.get("token"), str):
                return _sentence(400, 'give {"token": "…"}')
            simulator.settings.token = fields["token"]
        case "down":
            mode = fields.get("mode", "503")
            if mode not in ("503", "reset"):
                return _sentence(400, 'mode: "503" or "reset"')
            simulator.down = mode
        case "up":
            simulator.down = None
        case "reset":
            simulator.reset()
        case _:
            return _unknown(name)
    return web.json_response({})


def _unknown(name: str) -> web.Response:
    return _sentence(404, f"no such control request: {name}; see worker/demo/simulator_control.py")


def _sentence(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)
