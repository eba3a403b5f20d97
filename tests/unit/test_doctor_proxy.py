"""What the doctor says of the way out: a proxy that is ignored, is away, refuses, or asks for a password."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.unit.fakes_http import Clock
from tests.unit.fakes_proxy import UNREACHABLE, Proxy, answering, kravia_behind
from tests.unit.fakes_tls import ca_file
from worker.answers import NotSent
from worker.doctor.findings import Finding, Level
from worker.doctor.kravia import answer_finding
from worker.doctor.proxy import environment_finding, reach
from worker.forward_proxy import parse_proxy
from worker.kravia import FixedToken, KraviaConfig
from worker.kravia.probe import Probed, probe

PROXY = parse_proxy("http://proxy.example.com:3128")
LOGIN = parse_proxy("http://user:s3cret@proxy.example.com:3128")


async def told(directory: Path, proxy: Proxy, login: str = "") -> Finding:
    """What comes of a search through it."""
    parsed = parse_proxy(proxy.url(login))
    config = KraviaConfig(base_url=f"https://{UNREACHABLE}", ca_file=ca_file(directory), proxy=parsed)
    probed = await probe(config, FixedToken(SecretStr("token")), Clock())
    return answer_finding(probed, config.base_url, parsed)


async def test_a_proxy_that_lets_us_through(tmp_path: Path) -> None:
    async with kravia_behind(tmp_path) as (_, proxy):
        finding = await told(tmp_path, proxy)
        assert "answered, but no rows can be read" in finding.detail, "as the API behind it is told directly"
        assert (await reach(parse_proxy(proxy.url()), 10)).level is Level.OK


@pytest.mark.parametrize(
    ("says", "detail", "remedy"),
    [
        (answering(407), "the proxy asks for a user and a password (407)", "user:password@host:port"),
        (answering(403), "the proxy refused the CONNECT to localhost:1 (403)", "allow CONNECT to localhost:1"),
        (answering(405), "the proxy refused the CONNECT to localhost:1 (405)", "is a forward proxy"),
        (answering(502), "the proxy did not get through to localhost:1 (it answered CONNECT with 502)", "ask who runs"),
        (b"", "the proxy closed the connection before the tunnel stood", "takes CONNECT"),
    ],
)
async def test_a_proxy_that_does_not(tmp_path: Path, says: bytes, detail: str, remedy: str) -> None:
    async with kravia_behind(tmp_path) as (_, proxy):
        proxy.says = says
        finding = await told(tmp_path, proxy)
    assert (finding.level, finding.detail) == (Level.FAIL, f"not reached: {detail}")
    assert remedy in finding.remedy
    assert "KRAVIA_TOKEN" not in finding.remedy


async def test_a_wrong_password(tmp_path: Path) -> None:
    async with kravia_behind(tmp_path) as (_, proxy):
        proxy.login = "user:right"
        finding = await told(tmp_path, proxy, "user:s3cret")
    assert finding.detail == "not reached: the proxy refuses the user and the password of KRAVIA_PROXY (407)"
    assert "Basic only" in finding.remedy
    assert "s3cret" not in repr(finding)


async def test_a_proxy_that_is_away(tmp_path: Path) -> None:
    async with kravia_behind(tmp_path) as (_, proxy):
        proxy.down()
        finding = await reach(parse_proxy(proxy.url("user:s3cret")), 10)
        search = await told(tmp_path, proxy)
    assert (finding.level, finding.what) == (Level.FAIL, f"KRAVIA_PROXY at localhost:{proxy.port}")
    assert finding.detail.startswith("not reached (")
    assert "firewall" in finding.remedy
    assert "s3cret" not in repr(finding)
    assert search.detail == f"not reached: no connection to the proxy at localhost:{proxy.port}"


@pytest.mark.parametrize("why", ["proxy_dns", "proxy_connect", "proxy_tls", "proxy_lost", "tls", "connect"])
def test_each_way_not_to_get_there_has_a_remedy(why: str) -> None:
    finding = answer_finding(_not_sent(why), "https://api.example.com", LOGIN)
    assert finding.level is Level.FAIL
    assert finding.remedy
    assert "s3cret" not in repr(finding)


def test_without_a_proxy_the_setting_is_named() -> None:
    assert "KRAVIA_PROXY" in answer_finding(_not_sent("connect"), "https://api.example.com").remedy


def test_what_is_no_matter_of_the_proxy_is_told_as_ever() -> None:
    assert answer_finding(_not_sent("token"), "https://api.example.com", PROXY).detail == "not reached (not_sent_token)"


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_is_named_and_its_value_is_not(name: str) -> None:
    environ = {name: "http://user:s3cret@proxy:3128"}
    finding = environment_finding(None, environ)
    assert finding is not None
    assert (finding.level, finding.what) == (Level.WARN, name)
    assert "KRAVIA_PROXY" in finding.remedy
    assert "s3cret" not in repr(finding)
    assert environment_finding(PROXY, environ) is None
    assert environment_finding(None, {name: "", "NO_PROXY": "*", "HTTP_PROXY": "http://proxy:3128"}) is None


def _not_sent(why: str) -> Probed:
    return Probed(NotSent(why))
