"""Connections to the API through a forward proxy: a CONNECT tunnel (RFC 9110, section 9.3.6), TLS to the API inside it.

Whatever fails before TLS to the API stands, a proxy's answer included, is a connection that did not come about: no byte
of a request has left, and nothing that was said is the API's.
"""

from typing import TYPE_CHECKING, Any

import aiohttp

from worker.forward_proxy import ForwardProxy

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.tracing import Trace


class TunnelError(aiohttp.ClientConnectionError):
    """There is no connection to the API. `why`: `NotSent`'s class. aiohttp repeats nothing after it.

    `proxy_dns`, `proxy_connect`, `proxy_tls`: no connection to the proxy. `proxy_407` and the like: its answer to the
    CONNECT. `proxy_lost`: it, or what it leads to, closed the connection. `tls`: of the API's certificate.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class TunnelConnector(aiohttp.TCPConnector):
    """A connector for requests that name this `proxy`. It raises TunnelError, or a time-out.

    aiohttp asks the connector for a connection before it sends a request, so what is raised here is raised before.
    """

    def __init__(self, proxy: ForwardProxy, **options: Any) -> None:
        super().__init__(**options)
        self._proxy = proxy

    async def _create_connection(
        self, req: aiohttp.ClientRequest, traces: "list[Trace]", timeout: aiohttp.ClientTimeout
    ) -> "ResponseHandler":
        try:
            return await super()._create_connection(req, traces, timeout)
        except TimeoutError:  # an OSError
            raise
        except (aiohttp.ClientError, OSError) as error:
            # Without the cause: a proxy's answer may hold what it was asked.
            raise TunnelError(why_not(error, self._proxy)) from None


def why_not(error: Exception, proxy: ForwardProxy) -> str:
    """Class of a failure to connect through `proxy`: see `TunnelError`."""
    match error:
        case aiohttp.ClientHttpProxyError():
            return f"proxy_{error.status}"
        case aiohttp.ClientConnectorDNSError():  # the API's name is the proxy's to look up
            return "proxy_dns"
        case aiohttp.ClientProxyConnectionError():
            return "proxy_connect"
        case aiohttp.ClientConnectorSSLError() | aiohttp.ClientConnectorCertificateError():
            its = proxy.scheme == "https" and (error.host, error.port) == (proxy.host, proxy.port)
            return "proxy_tls" if its else "tls"
        case _:
            return "proxy_lost"
