"""Which URLs may be asked at all, however they are spelt."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.document_hosts import AllowedHost, Place, parse_hosts, place_of
from worker.fetching import BAD_URL, HOST

LIST = parse_hosts("documents.example.com, *.files.example.net:8443 bücher.example,[2001:db8::1]")


class TestTheList:
    def test_hosts_domains_and_ports(self):
        assert (
            AllowedHost("documents.example.com"),
            AllowedHost("files.example.net", 8443, below=True),
            AllowedHost("xn--bcher-kva.example"),
            AllowedHost("2001:db8::1"),
        ) == LIST
        assert parse_hosts("  ") == ()

    @pytest.mark.parametrize(
        "entry",
        [
            *("https://a.example", "a.example/x", "*", "*.", "a.*.example", "a:0", "a:65536", "a:x", "u@a"),
            *("2130706433", "0x7f.1", "*.10.0.0.1", "a..b", "-a.example", "a%2eb", "[fe80::1%eth0]"),
        ],
    )
    def test_an_entry_that_is_none_is_named_by_its_number(self, entry):
        with pytest.raises(ValueError, match="entry 2 is none"):
            parse_hosts(f"good.example,{entry}")


class TestPlaces:
    @pytest.mark.parametrize(
        ("url", "host", "port", "asked"),
        [
            ("https://documents.example.com/a", "documents.example.com", 443, "https://documents.example.com/a"),
            ("https://DOCUMENTS.example.com.:443/a", "documents.example.com", 443, "https://documents.example.com/a"),
            ("https://documents.example.com", "documents.example.com", 443, "https://documents.example.com/"),
            ("https://a.files.example.net:8443/", "a.files.example.net", 8443, "https://a.files.example.net:8443/"),
            ("https://b.a.files.example.net:8443/", "b.a.files.example.net", 8443, None),
            ("https://bücher.example/", "xn--bcher-kva.example", 443, "https://xn--bcher-kva.example/"),
            ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, None),
            ("https://ｄocuments。example．com/", "documents.example.com", 443, "https://documents.example.com/"),
            ("https://[2001:DB8:0::1]/", "2001:db8::1", 443, "https://[2001:db8::1]/"),
        ],
    )
    def test_what_the_list_allows(self, url, host, port, asked):
        place = place_of(url, LIST)
        assert isinstance(place, Place), place
        assert (place.host, place.port) == (host, port)
        assert asked is None or str(place.url) == asked
        assert place.url.host == (host if "xn--" not in host else "bücher.example")

    def test_a_signature_is_sent_as_it_came(self):
        signed = "https://documents.example.com/a%2Fb/~c%7e?sig=%2F%2b+a%20b&X-Amz-Date=2026%3A01"
        place = place_of(signed, LIST)
        assert isinstance(place, Place)
        assert str(place.url) == signed

    @pytest.mark.parametrize(
        "url",
        [
            "https://example.com/",
            "https://documents.example.com.evil.example/",
            "https://evildocuments.example.com/",
            "https://documents.example.com:8443/",
            "https://files.example.net:8443/",
            "https://a.files.example.net/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://localhost/",
        ],
    )
    def test_what_it_does_not(self, url):
        assert place_of(url, LIST) == HOST

    def test_an_empty_list_allows_nothing(self):
        assert place_of("https://documents.example.com/", ()) == HOST

    @pytest.mark.parametrize(
        "host",
        [
            *("2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.1", "0", "00.0.0.0", "127.0.0.1.5"),
            *("1.1.1.0x1", "example.0x", "①②⑦.0.0.1.4", "[fe80::1%25eth0]", "[::1", "exa%6dple.com", "a..b", "-a", ""),
            *("user@a.example", "user:secret@a.example", "@a.example", "a.example:65536", "a_b c", "a\\b.example"),
        ],
    )
    def test_what_is_no_plain_host_is_refused_whatever_the_list_says(self, host):
        allowed = (AllowedHost(host), AllowedHost("a.example"), AllowedHost("b.example"), AllowedHost("127.0.0.1"))
        assert place_of(f"https://{host}/", allowed) == BAD_URL

    @pytest.mark.parametrize("scheme", ["http", "ftp", "file", "gopher", "HTTP", ""])
    def test_https_only(self, scheme):
        assert place_of(f"{scheme}://documents.example.com/", LIST) == BAD_URL

    @given(st.text(string.printable + "。．①２％＠", max_size=40))
    def test_whatever_is_allowed_is_on_the_list(self, text):
        place = place_of(f"https://{text}", LIST)
        if isinstance(place, Place):
            assert place.url.scheme == "https"
            assert (place.url.user, place.url.password, place.url.port) == (None, None, place.port)
            assert any(entry.allows(place.url.raw_host, place.port) for entry in LIST)
