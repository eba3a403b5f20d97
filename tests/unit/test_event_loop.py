"""The worker's event loop lets go of a TLS connection whose peer does not: a Kafka broker with a fetch to answer."""

import asyncio
import ssl
from pathlib import Path

from tests.unit.fakes_tls import ca_file, server_context
from worker.event_loop import new_event_loop


def test_a_peer_that_never_says_farewell_holds_up_nothing(tmp_path: Path):
    async def main() -> tuple[bytes, bool]:
        gone = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"an answer")
            # It reads nothing, so it never sees the client's farewell, and goes on when the test does.
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await gone.wait()
            writer.transport.abort()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context(tmp_path))
        port = server.sockets[0].getsockname()[1]
        context = ssl.create_default_context(cafile=ca_file(tmp_path))
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        answer = await reader.readexactly(9)
        writer.close()
        # With an error or without: the farewell was cut short. Half of what uvloop waits by default.
        closed = asyncio.ensure_future(asyncio.gather(writer.wait_closed(), return_exceptions=True))
        done, _ = await asyncio.wait([closed], timeout=15)
        gone.set()
        await closed
        server.close()
        return answer, bool(done)

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        assert runner.run(main()) == (b"an answer", True)
