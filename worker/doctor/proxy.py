"""The way out to Kravia through a forward proxy: whether it is there, and what its answer to a CONNECT means."""

import asyncio
from collections.abc import Mapping
from typing import Final

from worker.doctor.findings import Finding, fail, ok, warn
from worker.forward_proxy import ForwardProxy

_AREA: Final = "proxy"
_IGNORED: Final = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
"""Variables that other programs take a proxy for https from."""
_BASIC: Final = "the worker knows Basic only, no NTLM and no Kerberos"


def environment_finding(proxy: ForwardProxy | None, environ: Mapping[str, str]) -> Finding | None:
    """A proxy that others in this environment use, and the worker does not. Its value may hold a password: not told."""
    found = [name for name in _IGNORED if environ.get(name)]
    if proxy is not None or not found:
        return None
    return warn(
        _AREA,
        found[0],
        "is set in the environment and has no effect: the worker goes to Kravia directly, since KRAVIA_PROXY is not "
        "set",
        "set KRAVIA_PROXY if the way out leads through a proxy; else nothing need be done",
    )


async def reach(proxy: ForwardProxy, timeout: float) -> Finding:
    """Whether something listens there. Opens a TCP connection, says nothing, and closes it; `timeout` in seconds."""
    what = f"KRAVIA_PROXY at {proxy.place}"
    remedy = "check host and port in KRAVIA_PROXY, and that the firewall or network policy lets this machine go there"
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(proxy.host, proxy.port)
    except TimeoutError:
        return fail(_AREA, what, f"not reached: no connection within {timeout:g} s", remedy)
    except OSError as error:
        return fail(_AREA, what, f"not reached ({error.strerror or type(error).__name__})", remedy)
    writer.transport.abort()
    return ok(_AREA, what, "reached; user and password are set" if proxy.authorization else "reached; without a user")


def tunnel_trouble(why: str, proxy: ForwardProxy, target: str) -> tuple[str, str] | None:
    """Of `NotSent`'s `why`: what is wrong and what to do; None when it is not the proxy's.

    `target`: host and port of the API.
    """
    match why:
        case "proxy_407" if proxy.authorization is None:
            return (
                "the proxy asks for a user and a password (407)",
                f"put them into KRAVIA_PROXY, http://user:password@host:port; {_BASIC}",
            )
        case "proxy_407":
            return (
                "the proxy refuses the user and the password of KRAVIA_PROXY (407)",
                f"correct them, with %XX for what a URL would read otherwise; {_BASIC}",
            )
        case "proxy_502" | "proxy_503" | "proxy_504":
            return (
                f"the proxy did not get through to {target} (it answered CONNECT with {why[-3:]})",
                "check KRAVIA_BASE_URL; ask who runs the proxy whether it finds and reaches that host",
            )
        case "proxy_dns":
            return "the proxy's name has no address", "check the host in KRAVIA_PROXY and the name servers"
        case "proxy_connect":
            return f"no connection to the proxy at {proxy.place}", "check KRAVIA_PROXY and the firewall"
        case "proxy_tls":
            return (
                "the certificate of the proxy is not trusted, or it speaks no TLS",
                "name its authority in KRAVIA_CA_FILE, beside the one of the API; http:// where it speaks none",
            )
        case "proxy_lost":
            return (
                "the proxy closed the connection before the tunnel stood",
                f"check port and scheme in KRAVIA_PROXY, and that the proxy takes CONNECT and reaches {target}",
            )
        case "tls":
            return (
                "the certificate that came through the proxy is not trusted",
                f"check KRAVIA_CA_FILE; where the proxy puts in its own to read along, have it leave {target} alone",
            )
        case "connect":
            return (
                "no tunnel in time: the proxy, or the API behind it, does not answer",
                f"ask who runs the proxy whether it reaches {target}; raise KRAVIA_CONNECT_TIMEOUT if it is just slow",
            )
        case _:
            if not why.startswith("proxy_"):
                return None
            return (
                f"the proxy refused the CONNECT to {target} ({why.removeprefix('proxy_')})",
                f"have who runs the proxy allow CONNECT to {target}, and check that KRAVIA_PROXY is a forward proxy",
            )
