"""The fetcher against a real https server: what it takes, what it refuses, and what is left behind."""

import asyncio
import hashlib
import logging
import socket

import pytest
import uvloop

from tests.unit.fakes_core import Watcher
from tests.unit.fakes_fetcher import LOOPBACK, PDF, Desk, Names, held, reference
from tests.unit.fakes_tls import ca_file, storing
from worker import fetching
from worker.clock import SystemClock
from worker.document_hosts import AllowedHost
from worker.documents import DocumentsConfig, HttpsDocuments
from worker.ports import Altered, Missing, Unreachable

SECRET = "sig=s3cret"


@pytest.fixture
async def desk(tmp_path):
    async with storing(tmp_path) as store:
        store.has("/a", PDF)
        yield Desk(store, tmp_path)


class TestGiven:
    async def test_a_document_is_verified_and_nothing_of_ours_is_told_to_the_store(self, desk, monkeypatch):
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        document = await desk.get()
        assert (document.size, document.sha256) == (len(PDF), hashlib.sha256(PDF).hexdigest())
        assert held(document) == PDF
        [head] = desk.store.requests
        names = {line.partition(":")[0].lower() for line in head.split("\r\n")[1:] if line}
        assert names == {"host", "accept", "accept-encoding", "user-agent"}, "no cookie, no authorization, no referer"
        assert "Accept-Encoding: identity" in head
        assert desk.told.told == [("ok", len(PDF))]

    async def test_a_signed_url_is_asked_for_as_it_came(self, desk):
        desk.store.has(f"/b%2Fc?{SECRET}&x=%2F%2b", PDF)
        assert held(await desk.get(f"/b%2Fc?{SECRET}&x=%2F%2b")) == PDF

    async def test_the_whole_document_in_chunks_too(self, desk):
        async def chunked(head, writer):
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for start in range(0, len(PDF), 50_000):
                chunk = PDF[start : start + 50_000]
                writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            writer.write(b"0\r\n\r\n")
            await writer.drain()

        desk.store.answers["/a"] = chunked
        assert held(await desk.get()) == PDF

    async def test_a_redirect_is_followed(self, desk):
        desk.store.has("/r", b"", 307, Location="/a")
        desk.store.has("/s", b"a body of no interest", 302, Location=desk.store.url("/r", "127.0.0.1"))
        assert held(await desk.get("/s")) == PDF
        assert desk.store.paths == ["/s", "/r", "/a"]
        assert all("s3cret" not in head for head in desk.store.requests)

    def test_on_uvloop(self, tmp_path):
        async def scenario():
            async with storing(tmp_path) as store:
                store.has("/a", PDF)
                assert held(await Desk(store, tmp_path).get()) == PDF

        uvloop.run(scenario())

    async def test_media_types_that_nobody_knows_pass(self, desk):
        assert held(await desk.get(media_type="application/octet-stream")) == PDF


class TestAltered:
    async def test_another_content_of_the_same_size(self, desk):
        desk.store.has("/a", PDF[:-1] + b"x")
        assert await desk.get() == Altered(fetching.DIGEST)

    @pytest.mark.parametrize("content", [PDF[:-1], PDF + b"x", b""])
    async def test_another_size_than_declared_is_not_even_read(self, desk, content):
        desk.store.has("/a", content)
        assert await desk.get() == Altered(fetching.SIZE, 200)
        assert desk.told.told == [("document_size", 0)]

    @pytest.mark.parametrize("content", [PDF[:-1], PDF * 2])
    async def test_nor_is_it_believed_when_it_comes_without_a_length(self, desk, content):
        async def until_closed(head, writer):
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + content)
            await writer.drain()

        desk.store.answers["/a"] = until_closed
        assert await desk.get() == Altered(fetching.SIZE)

    async def test_a_document_that_never_ends_is_cut_at_its_size(self, desk):
        async def endless(head, writer):
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while not writer.transport.is_closing():
                writer.write(bytes(65_536))
                await writer.drain()
                await asyncio.sleep(0)  # a connection that is lost drains without a pause

        desk.store.answers["/a"] = endless
        assert await desk.get() == Altered(fetching.SIZE)
        [(_, size)] = desk.told.told
        assert size <= len(PDF)

    async def test_an_encoding_that_was_not_asked_for(self, desk):
        desk.store.has("/a", PDF, Content_Encoding="gzip")
        assert await desk.get() == Altered(fetching.ENCODED, 200)

    async def test_first_bytes_that_contradict_the_media_type(self, desk):
        assert await desk.get(media_type="image/png") == Altered(fetching.TYPE)


class TestNotGiven:
    @pytest.mark.parametrize(
        ("status", "ended"),
        [
            (404, Missing(fetching.MISSING, 404)),
            (410, Missing(fetching.MISSING, 410)),
            (401, Missing(fetching.FORBIDDEN, 401)),
            (403, Missing(fetching.FORBIDDEN, 403)),
            (400, Missing(fetching.REFUSED, 400)),
            (304, Missing(fetching.REFUSED, 304)),
            (408, Unreachable("status", 408)),
            (429, Unreachable("throttled", 429)),
            (500, Unreachable("server_error", 500)),
            (503, Unreachable("server_error", 503)),
            (202, Unreachable("status", 202)),
            (206, Unreachable("status", 206)),
        ],
    )
    async def test_by_status(self, desk, status, ended):
        desk.store.has("/a", b"" if status == 304 else b"x", status)
        assert await desk.get() == ended

    async def test_as_long_as_the_store_asks_for(self, desk):
        desk.store.has("/a", b"", 503, Retry_After="17")
        assert await desk.get() == Unreachable("server_error", 503, 17.0)

    async def test_no_name_no_connection_no_trust(self, desk):
        desk.hosts.append(AllowedHost("store.test", desk.store.port))
        desk.names = Names(store_test=[socket.gaierror(-2, "no such name")])
        assert await desk.get(host="store.test") == Unreachable("dns")
        desk.names = Names()
        assert await desk.get(host="store.test") == Unreachable("tls"), "the certificate is another host's"
        desk.config["ca_file"] = None
        assert await desk.get() == Unreachable("tls"), "nor is one believed that nobody known has signed"
        with socket.socket() as taken:  # and not listening: a port that was let go might be another's by now
            taken.bind(("127.0.0.1", 0))
            desk.hosts.append(AllowedHost("localhost", taken.getsockname()[1]))
            url = f"https://localhost:{taken.getsockname()[1]}/a"
            assert await desk.fetch(reference(url)) == Unreachable("connect")
        assert desk.store.requests == []

    async def test_a_connection_that_is_lost_midway(self, desk):
        async def half(head, writer):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(PDF), PDF[:1000]))
            await writer.drain()

        desk.store.answers["/a"] = half
        assert await desk.get() == Unreachable("lost")

    async def test_a_store_that_never_answers_and_one_that_trickles(self, desk):
        async def trickle(head, writer):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PDF))
            while not writer.transport.is_closing():
                writer.write(b"%")
                await writer.drain()
                await asyncio.sleep(0.01)

        async def silent(head, writer):
            await asyncio.sleep(60)

        desk.config["timeout"] = 0.3
        for handler in (trickle, silent):
            desk.store.answers["/a"] = handler
            assert await desk.get() == Unreachable("timeout")

    async def test_a_directory_that_can_not_be_written_to(self, desk, tmp_path):
        file = tmp_path / "no-directory"
        file.touch()
        desk.config["spool_dir"] = file / "spool"
        config = DocumentsConfig(hosts=tuple(desk.hosts), networks=LOOPBACK, spool_dir=file)
        async with HttpsDocuments(config, SystemClock(), desk.told, desk.names) as documents:
            assert await documents.fetch(reference(desk.store.url("/a"))) == Unreachable("spool")


async def test_nothing_is_left_when_a_fetch_is_cut(desk):
    async def stuck(head, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(PDF), PDF[:1000]))
        await writer.drain()
        going.set()
        await asyncio.sleep(60)

    going = asyncio.Event()
    desk.store.answers["/a"] = stuck
    fetching_it = asyncio.create_task(desk.get())
    await going.wait()
    fetching_it.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching_it
    assert list((desk.directory / "spool").iterdir()) == []


async def test_a_bounded_number_is_fetched_at_a_time(desk):
    running, most = 0, 0
    three = asyncio.Event()

    async def counted(head, writer):
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 3:
            three.set()
        await three.wait()
        await asyncio.sleep(0.02)  # in which a fourth would come
        running -= 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(PDF), PDF))
        await writer.drain()

    desk.store.answers["/a"] = counted
    config = DocumentsConfig(tuple(desk.hosts), LOOPBACK, ca_file(desk.directory), connections=3)
    async with HttpsDocuments(config, SystemClock(), desk.told, desk.names) as documents:
        for document in await asyncio.gather(*(documents.fetch(reference(desk.store.url("/a"))) for _ in range(10))):
            document.close()
    assert most == 3


async def test_a_url_is_never_logged(desk, caplog):
    caplog.set_level(logging.DEBUG)
    for status in (200, 404, 500):
        desk.store.has(f"/a?{SECRET}", PDF, status)
        fetched = await desk.get(f"/a?{SECRET}")
        assert "s3cret" not in repr(fetched)
        if status == 200:
            fetched.close()
    assert "s3cret" not in repr(reference(desk.store.url(f"/a?{SECRET}")))
    assert "s3cret" not in "".join(record.getMessage() for record in caplog.records if record.name != "asyncio")


async def test_a_ca_file_that_can_not_be_used_is_refused_at_start(tmp_path):
    (tmp_path / "wrong.pem").write_text("not a certificate")
    with pytest.raises(ValueError, match=r"DOCUMENT_CA_FILE=.*PEM file"):
        HttpsDocuments(DocumentsConfig(ca_file=tmp_path / "wrong.pem"), SystemClock(), Watcher())
