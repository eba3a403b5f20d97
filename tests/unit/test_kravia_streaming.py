"""A fetched document on its way to Kravia: streamed, with a right length, checked before its first byte."""

import asyncio
import base64
import os

import pytest
import uvloop

from tests.unit.fakes_documents import FakeDocument
from tests.unit.fakes_http import EMPTY, Expired, Spy, Valid, client, serving
from worker.answers import Done, NotSent, Refused, Unclear
from worker.kravia import FileEncoding
from worker.kravia.multipart import stream_as_bytes, stream_as_text

LARGE = os.urandom(3_000_001)
SIZES = [1, 2, 3, 196_607, 196_608, 196_609, 400_000]
ENCODINGS = [FileEncoding.BASE64, FileEncoding.RAW]


def parts(noted):
    """Head and body of the one request in `noted`."""
    head, _, body = bytes(noted).partition(b"\r\n\r\n")
    lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    return lines, body


def content_of(lines, body):
    boundary = lines["Content-Type"].partition("boundary=")[2].encode()
    _, part, end = body.split(b"--" + boundary)
    assert end == b"--\r\n"
    headers, _, content = part.removesuffix(b"\r\n").partition(b"\r\n\r\n")
    return headers, content


async def takes_all(reader, writer):
    received = b""
    while data := await reader.read(65_536):
        received += data
        head, gap, body = received.partition(b"\r\n\r\n")
        lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:]) if gap else {}
        if gap and len(body) == int(lines[b"Content-Length"]):
            received = b""
            writer.write(EMPTY)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_what_arrives_is_the_document_in_the_length_that_was_announced(encoding, size):
    document = FakeDocument(LARGE[:size])
    async with serving(takes_all) as server, client(server.url, file_encoding=encoding) as kravia:
        assert await kravia.attach("1", "a b.pdf", "application/pdf", document, Valid()) == Done()
        [noted] = server.connections
        lines, body = parts(noted)
    assert int(lines["Content-Length"]) == len(body)
    headers, content = content_of(lines, body)
    if encoding is FileEncoding.RAW:
        assert content == document.content
        assert b'filename="a b.pdf"\r\nContent-Type: application/pdf' in headers
    else:
        assert content == base64.b64encode(document.content)
        assert b"filename" not in headers


async def test_inline_and_fetched_documents_look_the_same():
    async with serving(takes_all) as server, client(server.url) as kravia:
        for content in (base64.b64encode(b"a document").decode(), FakeDocument(b"a document")):
            await kravia.attach("1", "a.pdf", "application/pdf", content, Valid())
        noted = bytes(b"".join(server.connections))
    second = noted.index(b"POST", 1)
    assert content_of(*parts(noted[:second])) == content_of(*parts(noted[second:]))


@pytest.mark.parametrize("build", [stream_as_text, lambda document: stream_as_bytes("a", "a/b", document)])
def test_no_more_than_a_piece_is_in_memory(build):
    asked = []

    class Counted(FakeDocument):
        def read(self, offset, count):
            asked.append(count)
            return super().read(offset, count)

    _, body = build(Counted(LARGE))
    assert asked == [], "nothing is read before it is asked for"
    assert len(body.first) + sum(map(len, body.rest)) == body.size
    assert max(asked) <= 256 * 1024
    assert sum(asked) == len(LARGE)


class TestTheCheck:
    async def test_an_expired_validity_reads_and_sends_nothing(self):
        class Unread(FakeDocument):
            def read(self, offset, count):
                raise AssertionError("read")

        spy = Spy()
        async with serving(takes_all) as server:
            async with client(server.url, observer=spy) as kravia:
                ended = await kravia.attach("1", "a", "a/b", Unread(LARGE), Expired())
                assert ended == NotSent("expired")
            await server.ended.wait()
            assert [bytes(noted) for noted in server.connections] == [b""]
        assert spy.calls == [("attach", "not_sent")]

    async def test_it_is_asked_once_and_the_rest_follows_however_long_that_takes(self):
        asked = []

        class Once:
            def holds(self):
                asked.append(None)
                return len(asked) == 1

        async with serving(takes_all) as server, client(server.url) as kravia:
            assert await kravia.attach("1", "a", "a/b", FakeDocument(LARGE), Once()) == Done()
        assert len(asked) == 1


class TestAnEndBeforeItsEnd:
    async def test_a_server_that_takes_no_more_times_out_and_the_connection_is_dropped(self):
        ended = asyncio.Event()

        async def stuck(reader, writer):
            await reader.read(1000)
            writer.transport.pause_reading()
            await ended.wait()
            writer.transport.resume_reading()

        async with serving(stuck) as server, client(server.url, attach_timeout=0.3) as kravia:
            document = FakeDocument(LARGE * 10)
            assert await kravia.attach("1", "a", "a/b", document, Valid()) == Unclear("timeout")
            ended.set()
            document.close()  # nothing reads it any more, or the fake would complain
            await server.ended.wait()
            assert len(server.connections[0]) < len(document.content)

    async def test_a_refusal_before_all_was_sent_is_that_refusal_and_nothing_more_is_sent(self):
        ended = asyncio.Event()

        async def refuses(reader, writer):
            await reader.read(1000)
            writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
            await ended.wait()

        async with serving(refuses) as server, client(server.url) as kravia:
            document = FakeDocument(LARGE * 10)
            assert await kravia.attach("1", "a", "a/b", document, Valid()) == Refused(413)
            ended.set()
            document.close()
            await server.ended.wait()
            assert len(server.connections[0]) < len(document.content)

    async def test_a_file_that_can_not_be_read_is_unclear_as_a_part_of_it_left(self):
        class Broken(FakeDocument):
            def read(self, offset, count):
                if offset > 0:
                    raise OSError("the disk")
                return super().read(offset, count)

        async with serving(takes_all) as server, client(server.url) as kravia:
            assert await kravia.attach("1", "a", "a/b", Broken(LARGE), Valid()) == Unclear("lost")

    async def test_a_call_that_is_cancelled_drops_the_connection(self):
        going, ended = asyncio.Event(), asyncio.Event()

        async def stuck(reader, writer):
            await reader.read(1000)
            writer.transport.pause_reading()
            going.set()
            await ended.wait()
            writer.transport.resume_reading()

        async with serving(stuck) as server, client(server.url) as kravia:
            document = FakeDocument(LARGE * 10)
            call = asyncio.create_task(kravia.attach("1", "a", "a/b", document, Valid()))
            await going.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            ended.set()
            document.close()
            await server.ended.wait()
            assert len(server.connections[0]) < len(document.content)


async def test_it_is_sent_again_from_its_beginning():
    document = FakeDocument(LARGE)
    async with serving(takes_all) as server, client(server.url) as kravia:
        for _ in range(2):
            assert await kravia.attach("1", "a", "a/b", document, Valid()) == Done()
        assert len(b"".join(bytes(noted) for noted in server.connections)) > 2 * len(LARGE)


def test_on_uvloop():
    async def scenario():
        async with serving(takes_all) as server, client(server.url) as kravia:
            assert await kravia.attach("1", "a", "a/b", FakeDocument(LARGE), Valid()) == Done()
            _, content = content_of(*parts(server.connections[0]))
            assert base64.b64decode(content) == LARGE

    uvloop.run(scenario())
