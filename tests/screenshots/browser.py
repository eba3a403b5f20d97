"""A headless Chromium steered by its DevTools protocol: pages as a person sees them, and what the browser complains of.

https://chromedevtools.github.io/devtools-protocol/ (stable since 1.3: Page, Emulation, Log, Runtime, Target).
"""

import asyncio
import base64
import itertools
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import aiohttp

from worker.demo.process import Server, ServerError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_START_TIMEOUT = 60.0
_ANSWER_TIMEOUT = 30.0
_LARGEST = 64 * 1024 * 1024
_COLOURS = "128"
"""Of a PNG's palette: enough for flat colours and smoothed text."""


@dataclass(frozen=True, slots=True)
class View:
    """How a page is looked at. `scale`: device pixels for each CSS pixel; `height`: all of it, or its top alone."""

    width: int = 1280
    height: int | None = None
    scale: float = 1.0
    scheme: Literal["light", "dark"] = "light"
    media: Literal["screen", "print"] = "screen"


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture (PNG), the width that the page wanted (CSS pixels), and errors and warnings of its console."""

    picture: bytes
    wanted_width: int
    complaints: tuple[str, ...]


class Browser:
    """`async with Browser(directory) as browser: await browser.look(url, View())`."""

    def __init__(self, directory: Path) -> None:
        """`directory` takes its profile. Raises ServerError when there is no Chromium on PATH."""
        program = next((found for name in _NAMES if (found := shutil.which(name)) is not None), None)
        if program is None:
            raise ServerError("no Chromium on PATH (Debian: apt-get install chromium fonts-liberation)")
        self._port_file = directory / "profile" / "DevToolsActivePort"
        self._server = Server(
            "Chromium",
            [
                program,
                "--headless=new",
                "--no-sandbox",  # it may run as root, and only shows what the worker here answers
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--hide-scrollbars",
                "--font-render-hinting=none",
                "--remote-debugging-port=0",
                f"--user-data-dir={directory / 'profile'}",
                "about:blank",
            ],
            directory / "chromium.log",
        )
        self._numbers = itertools.count(1)
        self._complaints: list[str] = []

    async def __aenter__(self) -> Self:
        self._server.start()
        self._session = aiohttp.ClientSession()
        try:
            async with asyncio.timeout(_START_TIMEOUT):
                while not self._port_file.exists() or "\n" not in self._port_file.read_text():
                    if (ended := self._server.exit_message()) is not None:
                        raise ServerError(ended)
                    await asyncio.sleep(0.05)
                port = self._port_file.read_text().split("\n")[0]
                async with self._session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    page = next(target for target in await answer.json() if target["type"] == "page")
                self._socket = await self._session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=_LARGEST)
            for domain in ("Page", "Log", "Runtime"):
                await self._call(f"{domain}.enable")
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()
        await self._server.stop(5.0)

    async def look(self, url: str, view: View) -> Seen:
        """Load a page and take all of it. Raises ServerError when it can't be loaded."""
        self._complaints.clear()
        await self._call("Emulation.setEmulatedMedia", media=view.media, features=[_scheme(view)])
        await self._size(view, 800)
        loaded = await self._call("Page.navigate", url=url)
        if "errorText" in loaded:
            raise ServerError(f"{url}: {loaded['errorText']}")
        await self._until("Page.loadEventFired")
        sizes = await self._call("Page.getLayoutMetrics")
        await self._size(view, view.height or int(sizes["cssContentSize"]["height"]))
        taken = await self._call("Page.captureScreenshot", format="png")
        return Seen(
            _smaller(base64.b64decode(taken["data"])),
            int(sizes["cssContentSize"]["width"]),
            tuple(self._complaints),
        )

    async def _size(self, view: View, height: int) -> None:
        await self._call(
            "Emulation.setDeviceMetricsOverride",
            width=view.width,
            height=height,
            deviceScaleFactor=view.scale,
            mobile=view.width < 600,
        )

    async def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = await self._next()
            if message.get("id") != number:
                continue
            if "error" in message:
                raise ServerError(f"Chromium: {method}: {message['error']['message']}")
            result: dict[str, Any] = message["result"]
            return result

    async def _until(self, event: str) -> None:
        while (await self._next()).get("method") != event:
            pass

    async def _next(self) -> dict[str, Any]:
        async with asyncio.timeout(_ANSWER_TIMEOUT):
            received = await self._socket.receive()
        if received.type is not aiohttp.WSMsgType.TEXT:
            raise ServerError(f"Chromium closed its connection: {self._server.tail()}")
        message: dict[str, Any] = json.loads(received.data)
        if message.get("method") == "Log.entryAdded":
            entry = message["params"]["entry"]
            self._complaints.append(f"{entry['level']}: {entry['text']}")
        return message


def _scheme(view: View) -> dict[str, str]:
    return {"name": "prefers-color-scheme", "value": view.scheme}


def _smaller(picture: bytes) -> bytes:
    """With a palette, where pngquant is on PATH: a third of the size."""
    if (program := shutil.which("pngquant")) is None:
        return picture
    command = [program, "--strip", "--speed", "1", _COLOURS, "-"]
    done = subprocess.run(command, input=picture, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else picture
