"""The limit: plain aiohttp making the three calls from memory, all bytes made beforehand. A process of its own.

Lines in: `prepare TAG COUNT`, then `go`. Lines out, each the answer to one: `ready`, then the seconds that it took.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator

import aiohttp
import uvloop

from tests.bench.load import Calls, calls


async def _session(concurrency: int) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency), cookie_jar=aiohttp.DummyCookieJar())


async def _round(session: aiohttp.ClientSession, url: str, token: str, concurrency: int, todo: list[Calls]) -> float:
    queue = iter(todo)
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(_caller(session, f"{url}/api/v2/invoice", token, queue))
    return time.monotonic() - began


async def _caller(session: aiohttp.ClientSession, root: str, token: str, queue: Iterator[Calls]) -> None:
    json_headers = {"Authorization": token, "Content-Type": "application/json"}
    for one in queue:
        answer = await _post(session, f"{root}/register", json_headers, one.register)
        invoice_id = json.loads(answer)["id"]
        content_type, body = one.attach
        headers = {"Authorization": token, "Content-Type": content_type}
        await _post(session, f"{root}/{invoice_id}/document?type=InvoiceAttachment", headers, body)
        content_type, body = one.start
        headers = {"Authorization": token, "Content-Type": content_type}
        await _post(session, f"{root}/{invoice_id}/action?action=Start", headers, body)


async def _post(session: aiohttp.ClientSession, url: str, headers: dict[str, str], body: bytes) -> bytes:
    async with session.post(url, data=body, headers=headers) as response:
        answer = await response.read()
        response.raise_for_status()
        return answer


def main(url: str, token: str, concurrency: int) -> None:
    """Serve rounds until the end of stdin."""
    todo: list[Calls] = []
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        session = runner.run(_session(concurrency))
        try:
            for line in sys.stdin:
                match line.split():
                    case ["prepare", tag, count]:
                        todo = calls(tag, int(count))
                        print("ready", flush=True)
                    case _:
                        print(runner.run(_round(session, url, token, concurrency, todo)), flush=True)
        finally:
            runner.run(session.close())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
