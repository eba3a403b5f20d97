"""The HTTP server for operations: `/metrics`, `/livez`, `/readyz`, `/status`.

A probe that fails answers 503 and lists its problems as JSON, so that whoever looks need not guess. The problems are
sentences without values of events.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiohttp import hdrs, web

from worker.telemetry.status_page import POLICY, REFRESHES, page

Problems = Callable[[], list[str]]
Report = Callable[[], dict[str, Any]]
Expose = Callable[[str], tuple[bytes, str]]


class HealthServer:
    """Serves metrics, probes and status from callables that must not wait.

    `expose` takes an Accept header and gives body and content type; `livez` and `readyz` give what is wrong, an
    empty list when nothing is; `status` gives the report of `worker.status`. Port 0 picks a free one.
    """

    def __init__(
        self, host: str, port: int, *, expose: Expose, livez: Problems, readyz: Problems, status: Report = dict
    ) -> None:
        self._host = host
        self._port = port
        app = web.Application()
        app.router.add_get("/metrics", _metrics(expose))
        app.router.add_get("/livez", _probe(livez))
        app.router.add_get("/readyz", _probe(readyz))
        app.router.add_get("/status", _status(status))
        # Probes and scrapes are not worth a line each.
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)

    async def start(self) -> int:
        """Listen, log `http_listening` with host and port, and return the port.

        Raises OSError when the address cannot be bound.
        """
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        port = int(self._runner.addresses[0][1])
        structlog.get_logger("worker.telemetry.health").info("http_listening", host=self._host, port=port)
        return port

    async def stop(self) -> None:
        """Close the port; answers on their way have a second. A server that is not running is left alone."""
        await self._runner.cleanup()


Handler = Callable[[web.Request], Awaitable[web.Response]]


def _metrics(expose: Expose) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        body, content_type = expose(request.headers.get(hdrs.ACCEPT, ""))
        return web.Response(body=body, headers={hdrs.CONTENT_TYPE: content_type})

    return handler


def _status(report: Report) -> Handler:
    """JSON, or a page for who prefers HTML, as browsers do; `?refresh=5` has it loaded again every 5 s."""

    async def handler(request: web.Request) -> web.Response:
        told = report()
        headers = {hdrs.VARY: hdrs.ACCEPT, hdrs.CACHE_CONTROL: "no-store", "X-Content-Type-Options": "nosniff"}
        if prefers_html(request.headers.get(hdrs.ACCEPT, "")):
            wanted = request.query.get("refresh", "")
            refresh = next((seconds for seconds in REFRESHES if wanted == str(seconds)), None)
            return web.Response(
                text=page(told, refresh),
                content_type="text/html",
                headers=headers | {"Content-Security-Policy": POLICY},
            )
        return web.json_response(told, headers=headers)

    return handler


def prefers_html(accept: str) -> bool:
    """Whether an Accept header (RFC 9110, section 12.5.1) puts text/html before application/json."""
    weights = {"text/html": 0.0, "application/json": 0.0}
    closest = dict.fromkeys(weights, 0)
    for part in accept.split(","):
        kind, *parameters = (text.strip().lower() for text in part.split(";"))
        for name in weights:
            specific = {name: 3, name.partition("/")[0] + "/*": 2, "*/*": 1}.get(kind, 0)
            if specific > closest[name]:
                closest[name], weights[name] = specific, _weight(parameters)
    return weights["text/html"] > weights["application/json"]


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0


def _probe(problems: Problems) -> Handler:
    async def handler(_request: web.Request) -> web.Response:
        found = problems()
        return web.json_response({"ok": not found, "problems": found}, status=503 if found else 200)

    return handler
