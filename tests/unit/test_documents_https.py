"""The fetcher against a real https server: what it takes, what it refuses, where it never goes."""

import asyncio
import hashlib
import ipaddress
import logging
import socket

import pytest
import uvloop
from aiohttp.abc import AbstractResolver

from tests.unit.fakes_core import Watcher
from tests.unit.fakes_tls import ca_file, storing
from worker import fetching
from worker.clock import SystemClock
from worker.document_hosts import AllowedHost
from worker.documents import DocumentsConfig, HttpsDocuments
from worker.model import Reference
from worker.ports import Altered, Missing, NotAllowed, Unreachable

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
PDF = b"%PDF-1.7\n" + b"a page\n" * 30_000
SECRET = "sig=s3cret"


class Names(AbstractResolver):
    """A resolver: one answer after the other for each name, the last one for ever; 127.0.0.1 for any other name."""

    def __init__(self, **answers):
        self.answers = {name.replace("_", "."): list(each) for name, each in answers.items()}
        self.asked = []

    async def resolve(self, host, port=0, family=socket.AF_INET):
        self.asked.append(host)
        answers = self.answers.get(host, [("127.0.0.1",)])
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(addresses, OSError):
            raise addresses
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
                "proto": 0,
                "flags": 0,
            }
            for address in addresses
        ]

    async def close(self):
        pass


class Told(Watcher):
    def fetched(self, result, size, seconds):
        self.told.append((result, size))

    def spooled(self, size):
        self.told.append(("spooled", size))


def reference(url, content=PDF, *, media_type="application/pdf", **changes):
    digest = changes.get("sha256", hashlib.sha256(content).hexdigest())
    return Reference("a.pdf", media_type, url, digest, changes.get("size", len(content)))


class Desk:
    """A store, and the fetcher before it."""

    def __init__(self, store, directory):
        self.store, self.directory, self.told, self.names = store, directory, Told(), Names()
        self.config = {}
        self.hosts = [AllowedHost("localhost", store.port), AllowedHost("127.0.0.1", store.port)]

    async def fetch(self, wanted, *, networks=LOOPBACK):
        given = {"ca_file": ca_file(self.directory), "spool_dir": self.directory / "spool"} | self.config
        given["spool_dir"].mkdir(exist_ok=True)
        config = DocumentsConfig(hosts=tuple(self.hosts), networks=networks, **given)
        async with HttpsDocuments(config, SystemClock(), self.told, self.names) as documents:
            return await documents.fetch(wanted)

    async def get(self, path="/a", host="localhost", **more):
        return await self.fetch(reference(self.store.url(path, host), **more))


@pytest.fixture
async def desk(tmp_path):
    async with storing(tmp_path) as store:
        store.has("/a", PDF)
        yield Desk(store, tmp_path)


def held(document):
    content = document.read(0, document.size)
    document.close()
    return content


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
        free = socket.create_server(("127.0.0.1", 0))
        desk.hosts.append(AllowedHost("localhost", free.getsockname()[1]))
        url = f"https://localhost:{free.getsockname()[1]}/a"
        free.close()
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


SPELLINGS = [
    *("127.0.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1", "0"),
    *("0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1"),
    *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[fe80::1]", "[fe80::1%25lo]", "[fd00:ec2::254]"),
    *("[2002:7f00:1::]", "[64:ff9b::7f00:1]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]", "[ff02::1]", "127.0.0.1."),
]
PRIVATE = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "::1", "fe80::1%lo", "fd00::1", "::ffff:10.0.0.1"]
PRIVATE += ["64:ff9b::a00:1", "2002:a00:1::1", "2001::1", "0.0.0.0", "224.0.0.1"]


class TestWhereItNeverGoes:
    @pytest.mark.parametrize("host", SPELLINGS)
    async def test_an_address_in_any_spelling_though_the_list_has_it(self, desk, host):
        desk.hosts = [AllowedHost(host.strip("[]"), desk.store.port), AllowedHost(host, desk.store.port)]
        ended = await desk.fetch(reference(desk.store.url("/a", host)), networks=())
        assert ended in (NotAllowed(fetching.ADDRESS), NotAllowed(fetching.BAD_URL), NotAllowed(fetching.HOST))
        assert (desk.names.asked, desk.store.requests) == ([], [])

    @pytest.mark.parametrize("address", PRIVATE)
    async def test_a_name_that_leads_to_one(self, desk, address):
        desk.hosts = [AllowedHost("store.test", desk.store.port)]
        desk.names = Names(store_test=[(address,)])
        ended = await desk.fetch(reference(desk.store.url("/a", "store.test")), networks=())
        assert ended == NotAllowed(fetching.ADDRESS)
        assert desk.store.requests == []

    async def test_a_name_one_of_whose_addresses_is_one(self, desk):
        desk.hosts = [AllowedHost("store.test", desk.store.port)]
        desk.names = Names(store_test=[("1.1.1.1", "127.0.0.1")])
        ended = await desk.fetch(reference(desk.store.url("/a", "store.test")), networks=())
        assert ended == NotAllowed(fetching.ADDRESS)

    async def test_a_name_that_changes_its_answer_gains_nothing(self, desk):
        """DNS rebinding: what was checked is what is connected to, and a second request checks anew."""
        desk.hosts = [AllowedHost("localhost", desk.store.port)]
        desk.names = Names(localhost=[("127.0.0.1",), ("127.0.0.2",), ("10.0.0.1",)])
        networks = (ipaddress.ip_network("127.0.0.1/32"),)
        url = desk.store.url("/a")
        assert held(await desk.fetch(reference(url), networks=networks)) == PDF
        assert desk.names.asked == ["localhost"], "asked once: nobody resolves it again to connect"
        for _ in range(2):
            assert await desk.fetch(reference(url), networks=networks) == NotAllowed(fetching.ADDRESS)
        assert len(desk.store.requests) == 1

    @pytest.mark.parametrize(
        ("location", "code"),
        [
            ("http://localhost/a", fetching.BAD_URL),
            ("http://169.254.169.254/latest/meta-data/", fetching.BAD_URL),
            ("https://169.254.169.254/latest/meta-data/", fetching.HOST),
            ("https://evil.example/a", fetching.HOST),
            ("//evil.example/a", fetching.HOST),
            ("https://localhost/a", fetching.HOST),
            ("https://user:secret@localhost:{port}/a", fetching.BAD_URL),
            ("https://2130706433:{port}/a", fetching.BAD_URL),
            ("https://[::1", fetching.BAD_URL),
            ("file:///etc/passwd", fetching.BAD_URL),
            ("https://inside.test:{port}/a", fetching.ADDRESS),
        ],
    )
    async def test_a_redirect_leads_no_further_than_a_url(self, desk, location, code):
        desk.hosts.append(AllowedHost("inside.test", desk.store.port))
        desk.names = Names(inside_test=[("10.0.0.1",)])
        desk.store.has("/r", b"", 302, Location=location.format(port=desk.store.port))
        assert await desk.get("/r") == NotAllowed(code)
        assert desk.store.paths == ["/r"]

    async def test_redirects_are_bounded(self, desk):
        desk.store.has("/r", b"", 302, Location="/r")
        assert await desk.get("/r") == NotAllowed(fetching.REDIRECTS)
        assert desk.store.paths == ["/r"] * 4
        desk.config["redirects"] = 0
        assert await desk.get("/r") == NotAllowed(fetching.REDIRECTS)
        assert desk.store.paths == ["/r"] * 5

    async def test_nowhere_at_all_without_a_list(self, desk):
        desk.hosts = []
        assert await desk.get() == NotAllowed(fetching.HOST)
        assert desk.told.told == [("document_host", 0)]

    async def test_cookies_of_a_store_are_not_sent_back(self, desk):
        desk.store.has("/r", b"", 302, Location="/a", Set_Cookie="a=b; Path=/")
        assert held(await desk.get("/r")) == PDF
        assert all("cookie" not in head.lower() for head in desk.store.requests)


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

    async def counted(head, writer):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
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
