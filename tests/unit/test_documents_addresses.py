"""Which addresses may be connected to."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.documents.addresses import may_connect
from worker.documents.media import contradicts

REFUSED = {
    "loopback": ["127.0.0.1", "127.255.255.254", "::1"],
    "unspecified": ["0.0.0.0", "0.1.2.3", "::"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12::1"],
    "link-local": ["169.254.1.1", "fe80::1", "fe80::1%eth0", "fec0::1"],
    "metadata": ["169.254.169.254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254"],
    "carrier-grade NAT": ["100.64.0.1", "100.127.255.255"],
    "multicast": ["224.0.0.1", "239.1.1.1", "ff02::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "IPv4-mapped": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe"],
    "IPv4-compatible": ["::127.0.0.1", "::8.8.8.8"],
    "6to4": ["2002:7f00:1::", "2002:a00:1::1", "2002:808:808::1"],
    "NAT64": ["64:ff9b::7f00:1", "64:ff9b::169.254.169.254", "64:ff9b:1::1"],
    "Teredo": ["2001:0:4136:e378:8000:63bf:3fff:fdd2"],
    "no address": ["", "localhost", "127.1", "0x7f000001", "2130706433", "1.1.1.1/32"],
}


@pytest.mark.parametrize(("kind", "address"), [(kind, one) for kind, many in REFUSED.items() for one in many])
def test_is_refused(kind, address):
    assert not may_connect(address), kind


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_public_addresses_are_not(address):
    assert may_connect(address)


def test_the_operators_networks_are_allowed_and_nothing_beside_them():
    networks = (ipaddress.ip_network("10.20.0.0/16"), ipaddress.ip_network("fd00:20::/48"))
    assert may_connect("10.20.1.1", networks)
    assert may_connect("::ffff:10.20.1.1", networks)
    assert may_connect("fd00:20::1", networks)
    assert not may_connect("10.21.0.1", networks)
    assert not may_connect("127.0.0.1", networks)
    assert not may_connect("fd00:20::1%eth0", networks), "a zone names an interface of this machine"


@given(st.ip_addresses())
def test_only_what_is_global_and_unicast_is_connected_to(address):
    if may_connect(str(address)):
        inner = getattr(address, "ipv4_mapped", None) or address
        assert not inner.is_private
        assert not inner.is_multicast
        assert not inner.is_loopback


PDF, PNG, JPEG, ZIP = b"%PDF-1.7", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0aaaa", b"PK\x03\x04aaaa"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.mark.parametrize(
    ("declared", "head", "wrong"),
    [
        ("application/pdf", PDF, False),
        ("Application/PDF; version=1", PDF, False),
        ("image/png", PDF, True),
        ("application/pdf", PNG, True),
        ("application/pdf", JPEG, True),
        ("image/jpg", JPEG, False),
        ("image/gif", b"GIF89aaa", False),
        ("image/tiff", b"II*\x00aaaa", False),
        ("application/zip", ZIP, False),
        (XLSX, ZIP, False),
        ("application/pdf", ZIP, True),
        ("text/plain", ZIP, True),
        (XLSX, PDF, True),
        ("application/octet-stream", PDF, False),
        ("application/pdf", b"whatever", False),
        ("text/plain", b"", False),
    ],
)
def test_first_bytes_that_contradict_the_media_type(declared, head, wrong):
    assert contradicts(declared, head) is wrong
