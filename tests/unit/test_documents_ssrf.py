"""Where the fetcher never goes, whatever a URL, a name or a redirect says: server-side request forgery."""

import ipaddress

import pytest

from tests.unit.fakes_fetcher import PDF, Desk, Names, held, reference
from tests.unit.fakes_tls import storing
from worker import fetching
from worker.document_hosts import AllowedHost
from worker.ports import NotAllowed


@pytest.fixture
async def desk(tmp_path):
    async with storing(tmp_path) as store:
        store.has("/a", PDF)
        yield Desk(store, tmp_path)


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
